/** Decides many payments in one transaction: one commit and a handful of statements for all of them. */
import { hash } from 'node:crypto';
import type { Logger } from '@payflowx/chassis';
import {
  CallError,
  failed,
  faultPoint,
  inTransaction,
  isTransient,
  ok,
  type Result,
} from '@payflowx/chassis';
import type { Decision } from '@payflowx/proto/authorization';
import type { Kysely } from 'kysely';
import type { Account } from '../domain/account.ts';
import { type DecideContext, decide } from '../domain/decide.ts';
import type { Hold, PaymentRequest } from '../domain/decision.ts';
import { AuthorizationError } from '../domain/errors.ts';
import { lockAccounts } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import { type DecidedStep, saveDecisions } from '../store/decided-batch.ts';
import { toDecisionMessage } from '../store/decision-message.ts';
import { findDecisions, stepKey } from '../store/decisions.ts';

export interface AuthorizeCommand {
  request: PaymentRequest;
  /** Past this nobody waits for the answer; undefined: somebody always does. */
  deadline: Date | undefined;
}

export interface AuthorizeDeps {
  db: Kysely<Database>;
  now: () => Date;
  holdTtlMs: number;
  log: Logger;
}

/**
 * One result for each command, in order. An item's decline or error is its own.
 * Where the transaction fails because of what one item brought into it, each is tried alone, so that only the culprit
 * fails. Rejects if the database is away: nothing is known then, and asking again with the same ids is safe.
 */
export async function authorizeBatch(
  deps: AuthorizeDeps,
  commands: readonly AuthorizeCommand[],
): Promise<Result<Decision>[]> {
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
async function decideOneByOne(
  deps: AuthorizeDeps,
  commands: readonly AuthorizeCommand[],
): Promise<Result<Decision>[]> {
  const results: Result<Decision>[] = [];
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
  { db, now, holdTtlMs }: AuthorizeDeps,
  commands: readonly AuthorizeCommand[],
): Promise<Result<Decision>[]> {
  const results = await inTransaction(db, async (trx) => {
    const accounts = await lockAccounts(trx, accountIdsOf(commands));
    // After the lock: another instance that had the same step has finished it by now.
    const known = await findDecisions(
      trx,
      commands.map(({ request }) => request),
    );
    // The clock is read under the lock too: decisions on one account are dated in the order in which they were taken.
    const round = startRound(accounts, known, { now: now(), holdTtlMs });
    const answers = commands.map((command) => answer(round, command));
    if (round.steps.length > 0) {
      const { steps, changed, holds, context } = round;
      await saveDecisions(trx, { steps, changed: [...changed.values()], holds, decidedAt: context.now });
    }
    faultPoint('authorization.before-commit');
    return answers;
  });
  faultPoint('authorization.after-commit');
  return results;
}

/** One pass over a batch: the accounts as they are after each decision, and what is to be written at the end. */
interface Round {
  accounts: Map<string, Account>;
  known: Map<string, { fingerprint: string; decision: Decision }>;
  context: DecideContext;
  steps: DecidedStep[];
  changed: Map<string, Account>;
  holds: Hold[];
}

function startRound(accounts: Round['accounts'], known: Round['known'], context: DecideContext): Round {
  return { accounts, known, context, steps: [], changed: new Map(), holds: [] };
}

function answer(round: Round, { request, deadline }: AuthorizeCommand): Result<Decision> {
  const fingerprint = fingerprintOf(request);
  const earlier = round.known.get(stepKey(request));
  if (earlier !== undefined) {
    if (earlier.fingerprint === fingerprint) return ok(earlier.decision);
    return failed(
      new AuthorizationError('OPERATION_REUSED', 'This step was already decided for another request.'),
    );
  }
  if (deadline !== undefined && deadline <= round.context.now) {
    return failed(new AuthorizationError('DEADLINE_PASSED', 'The deadline passed before it was decided.'));
  }
  const { decision, changed, hold } = decide(request, round.accounts, round.context);
  const message = toDecisionMessage(decision);
  for (const account of changed) {
    round.accounts.set(account.id, account);
    round.changed.set(account.id, account);
  }
  if (hold !== undefined) round.holds.push(hold);
  const { paymentId, operationId } = request;
  round.steps.push({ paymentId, operationId, fingerprint, decline: decision.decline, decision: message });
  round.known.set(stepKey(request), { fingerprint, decision: message });
  return ok(message);
}

function accountIdsOf(commands: readonly AuthorizeCommand[]): Set<string> {
  const ids = new Set<string>();
  for (const { request } of commands) ids.add(request.fromAccount).add(request.toAccount);
  return ids;
}

/** What makes two requests the same: all but the caller's roles, which may change between a request and its repetition. */
function fingerprintOf(request: PaymentRequest): string {
  const { fromAccount, toAccount, amount, currency, captureMode, callerId, holdExpiresAt } = request;
  const expiry = holdExpiresAt?.getTime() ?? '';
  const text = [fromAccount, toAccount, amount, currency, captureMode, callerId, expiry].join('\n');
  return hash('sha256', text, 'base64url');
}
