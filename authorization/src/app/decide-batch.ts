/** Decides many steps of payments together: read, decide, write in one statement for all of them. */
import {
  CallError,
  failed,
  faultPoint,
  isLockTimeout,
  isTransient,
  type Logger,
  type Result,
} from '@payflowx/chassis';
import { inTransaction, limitLockWait, unlessBrokenOff } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import type { Hold } from '../domain/hold.ts';
import type { CaptureRequest, ReleaseRequest, StepRequest } from '../domain/step-request.ts';
import { readAccounts } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import { saveDecisions } from '../store/decided-batch.ts';
import { type Answer, findKnown } from '../store/decisions.ts';
import { findHolds } from '../store/holds.ts';
import { accountRow, findLockedRows, holdRow, lockRows, type RowName } from '../store/row-locks.ts';
import type { LockPatience } from './lock-patience.ts';
import { answer, type Command, outcomeOf, startRound } from './round.ts';
import type { RulesInForce } from './rules-in-force.ts';

export interface DecideDeps {
  db: Kysely<Database>;
  now: () => Date;
  holdTtlMs: number;
  rules: RulesInForce;
  log: Logger;
  patience: LockPatience;
}

/** A step was not decided, as somebody else has rows that it needs locked, and for longer than another instance would. */
export class RowsLocked extends Error {
  override readonly name = 'RowsLocked';
  readonly rows: ReadonlySet<RowName>;
  constructor(rows: ReadonlySet<RowName>) {
    super('Rows of this step are locked by somebody else.');
    this.rows = rows;
  }
}

/**
 * One result for each command, in order. A command's decline or error is its own; RowsLocked is one.
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

/** So often a batch is tried that waited too long for a lock which nobody has any more a moment later. */
const MAX_ATTEMPTS = 3;

/** Commands whose rows stay locked are left out after a short wait, and the others are decided without them. */
async function decideUnderLock(
  deps: DecideDeps,
  commands: readonly Command[],
  attempt = 1,
): Promise<Result<Answer>[]> {
  try {
    return await inTransaction(deps.db, async (trx) => {
      await limitLockWait(trx, deps.patience.waitMs());
      const { accountIds, heldFor } = await findNeeds(trx, commands);
      await lockRows(trx, accountIds, heldFor);
      const answers = await tryToDecide(deps, trx, commands);
      // A hold that was made only just now can bring an account that was not locked.
      if (answers === undefined) throw new Error('An account changed in spite of its lock.');
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
  const { rowsOf } = await findNeeds(deps.db, commands);
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

/** Reads, decides and writes. Undefined, and nothing is written, if somebody else has a row locked or changed it in between. */
async function tryToDecide(
  { now, holdTtlMs, rules, patience }: DecideDeps,
  db: Kysely<Database>,
  commands: readonly Command[],
): Promise<Result<Answer>[] | undefined> {
  const begun = performance.now();
  const requests = commands.map(({ request }) => request);
  const [books, known] = await Promise.all([readBooks(db, commands), findKnown(db, requests)]);
  const tryRules = await rules.at(db, known.rulesetVersion);
  // The clock is read after the accounts: changes of one account are dated in the order in which they were made.
  const context = { now: now(), holdTtlMs, rules: tryRules };
  const round = startRound({ ...books, known: known.decisions }, context);
  const answers = commands.map((command) => answer(round, command));
  if (round.steps.length === 0) return answers;
  faultPoint('authorization.before-commit');
  const isWritten = await saveDecisions(db, books, outcomeOf(round));
  patience.observe(performance.now() - begun);
  return isWritten ? answers : undefined;
}

/** Accounts and holds that the commands are about. Accounts first: what a hold changed after that shows in its payer's version. */
async function readBooks(db: Kysely<Database>, commands: readonly Command[]) {
  const { accountIds, heldFor } = await findNeeds(db, commands);
  const read = await readAccounts(db, accountIds);
  const holds = heldFor.length > 0 ? await findHolds(db, heldFor) : new Map<string, Hold>();
  return { ...read, holds };
}

/** The accounts of the commands; captures and releases name a hold, whose accounts never change. */
async function findNeeds(db: Kysely<Database>, commands: readonly Command[]) {
  const asked = commands.flatMap(({ request }) => (namesHold(request) ? request.paymentId : []));
  const holds = asked.length > 0 ? await findHolds(db, asked) : new Map<string, Hold>();
  const accountIds = new Set<string>();
  for (const { fromAccount, toAccount } of holds.values()) accountIds.add(fromAccount).add(toAccount);
  for (const { request } of commands) {
    if (!namesHold(request)) accountIds.add(request.fromAccount).add(request.toAccount);
  }
  const rowsOf = ({ request }: Command): RowName[] => {
    if (!namesHold(request)) return [accountRow(request.fromAccount), accountRow(request.toAccount)];
    const hold = holds.get(request.paymentId);
    return hold ? [holdRow(hold.paymentId), accountRow(hold.fromAccount), accountRow(hold.toAccount)] : [];
  };
  // Not the holds asked for: one that is made a moment later has accounts that are not among these, and is not there yet.
  return { accountIds, heldFor: [...holds.keys()], rowsOf };
}

function namesHold(request: StepRequest): request is CaptureRequest | ReleaseRequest {
  return request.kind === 'CAPTURE' || request.kind === 'RELEASE';
}
