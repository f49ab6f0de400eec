/** Moves the test clock of one account forward: its holds end earlier, and windows of its limits begin. Only with SANDBOX=on. */
import type { Origin, RoleName } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import type { AccountRecord } from '../domain/account.ts';
import { AuthorizationError, invalid } from '../domain/errors.ts';
import { isId } from '../domain/ids.ts';
import { begunWindows, MAX_ADVANCED_S } from '../domain/test-clock.ts';
import { insertAuditRecord } from '../store/account-audit.ts';
import { lockAccount } from '../store/accounts.ts';
import type { Database } from '../store/database.ts';
import {
  type Advance,
  deleteOldAdvances,
  findAdvance,
  type HoldEnd,
  insertAdvance,
  listHoldEnds,
  moveHolds,
  moveWindows,
  readAdvancedS,
} from '../store/test-clock.ts';

export interface AdvanceDeps {
  db: Kysely<Database>;
  now: () => Date;
  newAuditId: () => string;
}

export interface AdvanceCommand {
  origin: Origin;
  callerRoles: readonly RoleName[];
  accountId: string;
  requestId: string;
  /** 1 to MAX_ADVANCE_S. */
  seconds: number;
}

export interface Advanced {
  /** The open holds that the account pays for, with their present ends. */
  holds: HoldEnd[];
  advance: Advance;
  replayed: boolean;
}

/** An account with more open holds is refused. Its holds are moved in one transaction, and named in one response. */
export const MAX_HOLDS = 1_000;
/** As long as keys of payments are kept, and an hour more. */
const KEPT_MS = 25 * 3_600_000;

/**
 * Balances, decisions and their times stay as they are: the expiry of the holds is decided later, as that of every hold. A retry moves
 * nothing, and returns the present ends.
 *
 * Throws ACCOUNT_NOT_FOUND, also for an account of another owner, INVALID_ARGUMENT, REQUEST_ID_REUSED, TOO_MANY_HOLDS.
 */
export async function advanceAccount(deps: AdvanceDeps, command: AdvanceCommand): Promise<Advanced> {
  const { accountId } = command;
  return inTransaction(deps.db, async (trx) => {
    const account = isId(accountId) ? await lockAccount(trx, accountId) : undefined;
    if (account === undefined || !mayAdvance(account, command)) throw accountNotFound();
    const { callerId } = command.origin;
    const earlier = await findAdvance(trx, { ...command, callerId });
    if (earlier) requireSame(earlier, command);
    const advance = earlier ?? (await move(trx, deps, command, account));
    const holds = await listHoldEnds(trx, accountId, MAX_HOLDS);
    return { holds, advance, replayed: earlier !== undefined };
  });
}

/** External accounts have neither an owner nor limits, and all users share them. */
function mayAdvance(account: AccountRecord, { origin, callerRoles }: AdvanceCommand): boolean {
  if (account.isExternal) return false;
  return account.ownerId === origin.callerId || callerRoles.includes('operator');
}

async function move(
  trx: Transaction<Database>,
  { now, newAuditId }: AdvanceDeps,
  { origin, accountId, requestId, seconds }: AdvanceCommand,
  { timeZone }: AccountRecord,
): Promise<Advance> {
  const at = now();
  const beforeS = await readAdvancedS(trx, accountId);
  const totalS = beforeS + seconds;
  requireTotal(totalS);
  const windows = begunWindows(at, timeZone, beforeS, totalS);
  await moveWindows(trx, accountId, windows);
  const movedHolds = await moveHolds(trx, accountId, { seconds, windows });
  if (movedHolds > MAX_HOLDS) throw tooManyHolds();
  const advance = { accountId, callerId: origin.callerId, requestId, seconds, totalS, movedHolds };
  // Another account can have taken the id since it was looked up.
  if (!(await insertAdvance(trx, advance, at))) throw reused();
  await deleteOldAdvances(trx, accountId, new Date(at.getTime() - KEPT_MS));
  await insertAuditRecord(trx, {
    id: newAuditId(),
    origin,
    action: 'account.clock_advanced',
    accountId,
    reason: '',
    before: { advanced_seconds: beforeS },
    after: { advanced_seconds: totalS },
    createdAt: at,
  });
  return advance;
}

function requireSame(earlier: Advance, { accountId, seconds }: AdvanceCommand): void {
  if (earlier.accountId !== accountId || earlier.seconds !== seconds) throw reused();
}

function requireTotal(totalS: number): void {
  if (totalS <= MAX_ADVANCED_S) return;
  const description = `must not move the account by more than ${MAX_ADVANCED_S} seconds in all`;
  throw invalid([{ field: 'seconds', description }]);
}

function accountNotFound(): AuthorizationError {
  return new AuthorizationError('ACCOUNT_NOT_FOUND', 'There is no such account.');
}

function reused(): AuthorizationError {
  return new AuthorizationError('REQUEST_ID_REUSED', 'This request id was used for another request.');
}

function tooManyHolds(): AuthorizationError {
  const message = `The account has more than ${MAX_HOLDS} open holds. Capture or cancel some, or use another account.`;
  return new AuthorizationError('TOO_MANY_HOLDS', message);
}
