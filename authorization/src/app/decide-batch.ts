/** Decides a batch of steps: reads, decides, and writes all decisions in one statement. */
import {
  failed,
  faultPoint,
  isLockTimeout,
  type Logger,
  maySucceedInParts,
  type Result,
  splitOnFailure,
} from '@payflowx/chassis';
import { inTransaction, limitLockWait, unlessBrokenOff } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import type { Hold } from '../domain/hold.ts';
import type { Mandate } from '../domain/mandate.ts';
import type {
  CaptureRequest,
  PaymentRequest,
  RefundRequest,
  ReleaseRequest,
  StepRequest,
} from '../domain/step-request.ts';
import { readAccounts } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import { saveDecisions } from '../store/decided-batch.ts';
import { type Answer, findKnown } from '../store/decisions.ts';
import { findHolds } from '../store/holds.ts';
import { findMandates } from '../store/mandates.ts';
import {
  accountRow,
  findLockedRows,
  holdRow,
  lockRows,
  mandateRow,
  type RowName,
} from '../store/row-locks.ts';
import { type Command, decideStep, resultOf, startBatch } from './decide-steps.ts';
import type { LockPatience } from './lock-patience.ts';
import type { RulesInForce } from './rules-in-force.ts';

export interface DecideDeps {
  db: Kysely<Database>;
  now: () => Date;
  holdTtlMs: number;
  rules: RulesInForce;
  /** True if magic references decline payments. */
  sandbox?: boolean | undefined;
  log: Logger;
  patience: LockPatience;
}

/**
 * Thrown if a step was not decided, because another session has its rows locked for longer than an instance of this service
 * would.
 */
export class RowsLocked extends Error {
  override readonly name = 'RowsLocked';
  readonly rows: ReadonlySet<RowName>;
  constructor(rows: ReadonlySet<RowName>) {
    super('Another session has rows of this step locked.');
    this.rows = rows;
  }
}

/**
 * Returns one result per command, in order. A decline, an error or RowsLocked affects only its own command. If one command makes
 * the transaction fail, the batch is halved until only that one fails. Rejects if the database is unavailable: the outcome is
 * unknown then, and a retry with the same ids is safe.
 */
export async function decideBatch(deps: DecideDeps, commands: readonly Command[]): Promise<Result<Answer>[]> {
  try {
    return await splitOnFailure(commands, (some) => decideTwiceIfAlone(deps, some));
  } catch (error) {
    deps.log.warn({ err: error, items: commands.length }, 'the database did not answer');
    throw error;
  }
}

/**
 * A command that fails alone is tried once more. Another instance may have declined the same step at the same moment. A decline
 * changes no account, so the insert fails on the decision's key. The second attempt finds that decision.
 */
async function decideTwiceIfAlone(deps: DecideDeps, commands: readonly Command[]): Promise<Result<Answer>[]> {
  try {
    return await decideTogether(deps, commands);
  } catch (error) {
    if (!maySucceedInParts(error, commands.length)) throw error;
    deps.log.warn(
      { err: error, items: commands.length },
      'a batch failed; its items are tried in smaller batches',
    );
    if (commands.length > 1) throw error;
    return decideTogether(deps, commands);
  }
}

/**
 * The first attempt takes no lock, as two instances rarely decide on the same accounts at once. If they do, the second attempt
 * locks.
 */
async function decideTogether(deps: DecideDeps, commands: readonly Command[]): Promise<Result<Answer>[]> {
  const results =
    (await unlessBrokenOff(() => tryToDecide(deps, deps.db, commands))) ??
    (await decideUnderLock(deps, commands));
  faultPoint('authorization.after-commit');
  return results;
}

/** Attempts of a batch whose lock timed out although the lock was free a moment later. */
const MAX_ATTEMPTS = 3;

/** After a short wait, commands whose rows stay locked are left out. The others are decided without them. */
async function decideUnderLock(
  deps: DecideDeps,
  commands: readonly Command[],
  attempt = 1,
): Promise<Result<Answer>[]> {
  try {
    return await inTransaction(deps.db, async (trx) => {
      await limitLockWait(trx, deps.patience.waitMs());
      await lockRows(trx, await findAffectedRows(trx, commands));
      const answers = await tryToDecide(deps, trx, commands);
      // A hold made just now can add an account that was not locked.
      if (answers === undefined) throw new Error('An account changed although it was locked.');
      return answers;
    });
  } catch (error) {
    if (!isLockTimeout(error) || attempt === MAX_ATTEMPTS) throw error;
    return decideWithoutLocked(deps, commands, attempt);
  }
}

async function decideWithoutLocked(
  deps: DecideDeps,
  commands: readonly Command[],
  attempt: number,
): Promise<Result<Answer>[]> {
  const { rowsOf } = await findAffectedRows(deps.db, commands);
  const locked = await findLockedRows(deps.db, new Set(commands.flatMap(rowsOf)));
  const lockedRows = new Map(
    commands.map((command) => [command, new Set(rowsOf(command).filter((row) => locked.has(row)))]),
  );
  const isFree = (command: Command) => lockedRows.get(command)?.size === 0;
  const free = commands.filter(isFree);
  const answers = free.length > 0 ? await decideUnderLock(deps, free, attempt + 1) : [];
  const byCommand = new Map(free.map((command, index) => [command, answers[index]]));
  return commands.map(
    (command) => byCommand.get(command) ?? failed(new RowsLocked(lockedRows.get(command) ?? new Set())),
  );
}

/**
 * Reads, decides and writes. Returns undefined and writes nothing if another session has a row locked or has changed it since.
 */
async function tryToDecide(
  { now, holdTtlMs, rules, sandbox, patience }: DecideDeps,
  db: Kysely<Database>,
  commands: readonly Command[],
): Promise<Result<Answer>[] | undefined> {
  const startedAt = performance.now();
  const requests = commands.map(({ request }) => request);
  const [books, known] = await Promise.all([readBooks(db, commands), findKnown(db, requests)]);
  const tryRules = await rules.at(db, known.rulesetVersion);
  // The clock is read after the accounts, so that the times of one account's changes are in their order.
  const context = { now: now(), holdTtlMs, rules: tryRules, sandbox };
  const state = startBatch({ ...books, known: known.decisions }, context);
  const answers = commands.map((command) => decideStep(state, command));
  if (state.steps.length === 0) return answers;
  faultPoint('authorization.before-commit');
  const isWritten = await saveDecisions(db, books, resultOf(state));
  patience.observe(performance.now() - startedAt);
  return isWritten ? answers : undefined;
}

/**
 * Reads the accounts, holds and mandates of the commands. Accounts come first: a hold or mandate that changes later also changes its
 * payer's row version.
 */
async function readBooks(db: Kysely<Database>, commands: readonly Command[]) {
  const { accountIds, heldPaymentIds, mandateIds } = await findAffectedRows(db, commands);
  const read = await readAccounts(db, accountIds);
  const holds = heldPaymentIds.length > 0 ? await findHolds(db, heldPaymentIds) : new Map<string, Hold>();
  const mandates = mandateIds.length > 0 ? await findMandates(db, mandateIds) : new Map<string, Mandate>();
  return { ...read, holds, mandates };
}

/** Finds the rows of the commands. Captures and releases name a hold, whose accounts and mandate never change. */
async function findAffectedRows(db: Kysely<Database>, commands: readonly Command[]) {
  const paymentIds = commands.flatMap(({ request }) => (namesHold(request) ? request.paymentId : []));
  const holds = paymentIds.length > 0 ? await findHolds(db, paymentIds) : new Map<string, Hold>();
  const accountIds = new Set<string>();
  for (const { fromAccount, toAccount } of holds.values()) accountIds.add(fromAccount).add(toAccount);
  for (const { request } of commands) {
    if (!namesHold(request)) accountIds.add(request.fromAccount).add(request.toAccount);
  }
  const mandateOf = (request: StepRequest) =>
    namesHold(request) ? holds.get(request.paymentId)?.mandateId : mandateNamedBy(request);
  const rowsOf = ({ request }: Command): RowName[] => {
    const hold = namesHold(request) ? holds.get(request.paymentId) : undefined;
    if (namesHold(request) && hold === undefined) return [];
    const { fromAccount, toAccount } = hold ?? (request as PaymentRequest | RefundRequest);
    const mandateId = mandateOf(request);
    return [
      ...(hold ? [holdRow(hold.paymentId)] : []),
      accountRow(fromAccount),
      accountRow(toAccount),
      ...(mandateId === undefined ? [] : [mandateRow(mandateId)]),
    ];
  };
  const mandateIds = new Set(commands.flatMap(({ request }) => mandateOf(request) ?? []));
  // Only holds that exist now. A hold made a moment later has accounts that are not in this list.
  return { accountIds, heldPaymentIds: [...holds.keys()], mandateIds: [...mandateIds], rowsOf };
}

function mandateNamedBy(request: PaymentRequest | RefundRequest): string | undefined {
  return request.kind === 'AUTHORIZE' ? request.mandateId : undefined;
}

function namesHold(request: StepRequest): request is CaptureRequest | ReleaseRequest {
  return request.kind === 'CAPTURE' || request.kind === 'RELEASE';
}
