/** Decides many steps of payments together: read, decide, write in one statement for all of them. */
import { CallError, failed, faultPoint, isTransient, type Logger, type Result } from '@payflowx/chassis';
import { inTransaction, unlessBrokenOff } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import type { Hold } from '../domain/hold.ts';
import type { StepRequest } from '../domain/step-request.ts';
import { lockAccounts, readAccounts } from '../store/balances.ts';
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
 * Also the way out for a step that another instance decided at the same moment without a change of the accounts, a decline: its
 * insert failed on the decision's key, and alone and anew it finds that decision.
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

/** Without a lock first, as hardly ever two instances decide on the same accounts at the same moment; if they did, with it. */
async function decideTogether(deps: DecideDeps, commands: readonly Command[]): Promise<Result<Answer>[]> {
  const results =
    (await unlessBrokenOff(() => tryToDecide(deps, deps.db, commands))) ??
    (await decideUnderLock(deps, commands));
  faultPoint('authorization.after-commit');
  return results;
}

/** Reads, decides and writes. Undefined, and nothing is written, if somebody else changed one of the accounts in between. */
async function tryToDecide(
  { now, holdTtlMs, rules }: DecideDeps,
  db: Kysely<Database>,
  commands: readonly Command[],
): Promise<Result<Answer>[] | undefined> {
  const requests = commands.map(({ request }) => request);
  const [books, known] = await Promise.all([readBooks(db, requests), findKnown(db, requests)]);
  const tryRules = await rules.at(db, known.rulesetVersion);
  // The clock is read after the accounts: changes of one account are dated in the order in which they were made.
  const context = { now: now(), holdTtlMs, rules: tryRules };
  const round = startRound({ ...books, known: known.decisions }, context);
  const answers = commands.map((command) => answer(round, command));
  if (round.steps.length === 0) return answers;
  faultPoint('authorization.before-commit');
  return (await saveDecisions(db, books, outcomeOf(round))) ? answers : undefined;
}

function decideUnderLock(deps: DecideDeps, commands: readonly Command[]): Promise<Result<Answer>[]> {
  const requests = commands.map(({ request }) => request);
  return inTransaction(deps.db, async (trx) => {
    await lockAccounts(trx, (await findAccountIds(trx, requests)).accountIds);
    const answers = await tryToDecide(deps, trx, commands);
    // A hold that was made only just now can bring an account that was not locked.
    if (answers === undefined) throw new Error('An account changed in spite of its lock.');
    return answers;
  });
}

/** Accounts and holds that the requests are about. Accounts first: what a hold changed after that shows in its payer's version. */
async function readBooks(db: Kysely<Database>, requests: readonly StepRequest[]) {
  const { accountIds, heldFor } = await findAccountIds(db, requests);
  const read = await readAccounts(db, accountIds);
  const holds = heldFor.length > 0 ? await findHolds(db, heldFor) : new Map<string, Hold>();
  return { ...read, holds };
}

/** The accounts of the requests; captures and releases name a hold, whose accounts never change. */
async function findAccountIds(db: Kysely<Database>, requests: readonly StepRequest[]) {
  const accountIds = new Set<string>();
  const heldFor: string[] = [];
  for (const request of requests) {
    if (request.kind === 'CAPTURE' || request.kind === 'RELEASE') heldFor.push(request.paymentId);
    else accountIds.add(request.fromAccount).add(request.toAccount);
  }
  const holds = heldFor.length > 0 ? await findHolds(db, heldFor) : new Map<string, Hold>();
  for (const { fromAccount, toAccount } of holds.values()) accountIds.add(fromAccount).add(toAccount);
  // Not the ones asked for: a hold that is made a moment later has accounts that are not among these, and is not there yet.
  return { accountIds, heldFor: [...holds.keys()] };
}
