/** Decides many steps of payments in one transaction: one commit and a handful of statements for all of them. */
import { CallError, failed, faultPoint, isTransient, type Logger, type Result } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import type { Hold } from '../domain/hold.ts';
import { lockAccounts } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import { saveDecisions } from '../store/decided-batch.ts';
import { type Answer, findKnown } from '../store/decisions.ts';
import { findHolds } from '../store/holds.ts';
import { answer, type Command, outcomeOf, startRound } from './round.ts';
import type { RulesInForce } from './rules-in-force.ts';

export interface DecideDeps {
  db: Kysely<Database>;
  now: () => Date;
  holdTtlMs: number;
  rules: RulesInForce;
  log: Logger;
}

/**
 * One result for each command, in order. A command's decline or error is its own.
 * Where the transaction fails because of what one command brought into it, each is tried alone, so that only the culprit
 * fails. Rejects if the database is away: nothing is known then, and asking again with the same ids is safe.
 */
export async function decideBatch(deps: DecideDeps, commands: readonly Command[]): Promise<Result<Answer>[]> {
  try {
    return await decideTogether(deps, commands);
  } catch (error) {
    rejectIfAway(error, deps.log);
    deps.log.warn({ err: error, items: commands.length }, 'a batch failed and is tried item by item');
    return decideOneByOne(deps, commands);
  }
}

/**
 * Also the way out for a step that another instance decided at the same moment without a lock in common: its insert
 * failed on the decision's key, and alone and anew it finds that decision.
 */
async function decideOneByOne(deps: DecideDeps, commands: readonly Command[]): Promise<Result<Answer>[]> {
  const results: Result<Answer>[] = [];
  for (const command of commands) {
    try {
      results.push(...(await decideTogether(deps, [command])));
    } catch (error) {
      rejectIfAway(error, deps.log);
      results.push(failed(error));
    }
  }
  return results;
}

function rejectIfAway(error: unknown, log: Logger): void {
  if (!isTransient(error)) return;
  log.warn({ err: error }, 'the database did not answer');
  throw new CallError('DATABASE_UNAVAILABLE', 'The service cannot reach its database at the moment.');
}

async function decideTogether(
  { db, now, holdTtlMs, rules }: DecideDeps,
  commands: readonly Command[],
): Promise<Result<Answer>[]> {
  const results = await inTransaction(db, async (trx) => {
    const books = await lockBooks(trx, commands);
    // After the lock: another instance that had the same step has finished it by now.
    const { decisions, rulesetVersion } = await findKnown(
      trx,
      commands.map(({ request }) => request),
    );
    const tryRules = await rules.at(trx, rulesetVersion);
    // The clock is read under the lock too: decisions on one account are dated in the order in which they were taken.
    const context = { now: now(), holdTtlMs, rules: tryRules };
    const round = startRound({ ...books, known: decisions }, context);
    const answers = commands.map((command) => answer(round, command));
    if (round.steps.length > 0) await saveDecisions(trx, outcomeOf(round));
    faultPoint('authorization.before-commit');
    return answers;
  });
  faultPoint('authorization.after-commit');
  return results;
}

/**
 * Accounts and holds that the commands are about. A hold changes only under the lock of its payer's account row, so that
 * lock is the hold's as well: holds are looked up to learn their accounts, which never change, and read again under it.
 */
async function lockBooks(trx: Transaction<Database>, commands: readonly Command[]) {
  const accountIds = new Set<string>();
  const heldFor: string[] = [];
  for (const { request } of commands) {
    if (request.kind === 'CAPTURE' || request.kind === 'RELEASE') heldFor.push(request.paymentId);
    else accountIds.add(request.fromAccount).add(request.toAccount);
  }
  const seen = heldFor.length > 0 ? await findHolds(trx, heldFor) : new Map<string, Hold>();
  for (const { fromAccount, toAccount } of seen.values()) accountIds.add(fromAccount).add(toAccount);

  const accounts = await lockAccounts(trx, accountIds);
  // Not the ones asked for: one that was made in between has accounts that are not locked, and is not there yet.
  const holds = seen.size > 0 ? await findHolds(trx, [...seen.keys()]) : seen;
  return { accounts, holds };
}
