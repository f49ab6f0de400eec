/** Changes an account for an operator, and writes the audit record in the same transaction. */
import type { Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { AccountAction } from '@payflowx/proto/vocabulary';
import type { Kysely } from 'kysely';
import type { AccountRecord, AccountState } from '../domain/account.ts';
import { type AccountUpdate, changeState, updateAccount } from '../domain/account-changes.ts';
import { ACTION_INTO, auditedFacts } from '../domain/audit.ts';
import { AuthorizationError } from '../domain/errors.ts';
import { isId } from '../domain/ids.ts';
import { insertAuditRecord } from '../store/account-audit.ts';
import { lockAccount, saveAccount } from '../store/accounts.ts';
import type { Database } from '../store/database.ts';

interface ChangeDeps {
  db: Kysely<Database>;
  now: () => Date;
  newAuditId: () => string;
}

/** Throws ACCOUNT_NOT_FOUND, OWN_ACCOUNT, VERSION_MISMATCH, ACCOUNT_CLOSED. */
export function applyUpdate(
  deps: ChangeDeps,
  command: { origin: Origin; accountId: string; expectedVersion: bigint; update: AccountUpdate },
): Promise<AccountRecord> {
  return change(deps, { ...command, action: 'account.updated', reason: '' }, (account) =>
    updateAccount(account, command.update, command.expectedVersion),
  );
}

/**
 * `expectedVersion` undefined accepts any version. Throws ACCOUNT_NOT_FOUND, OWN_ACCOUNT, INVALID_STATE,
 * VERSION_MISMATCH, ACCOUNT_NOT_EMPTY.
 */
export function applyState(
  deps: ChangeDeps,
  command: {
    origin: Origin;
    accountId: string;
    state: AccountState;
    expectedVersion: bigint | undefined;
    reason: string;
  },
): Promise<AccountRecord> {
  const { state, expectedVersion } = command;
  return change(deps, { ...command, action: ACTION_INTO[state] }, (account) =>
    changeState(account, state, expectedVersion),
  );
}

/** Takes the same lock as decisions, so that each payment is decided either before the change or with it. */
function change(
  { db, now, newAuditId }: ChangeDeps,
  { accountId, ...facts }: { origin: Origin; accountId: string; action: AccountAction; reason: string },
  decide: (account: AccountRecord) => AccountRecord,
): Promise<AccountRecord> {
  return inTransaction(db, async (trx) => {
    const before = isId(accountId) ? await lockAccount(trx, accountId) : undefined;
    if (before === undefined) throw new AuthorizationError('ACCOUNT_NOT_FOUND', 'There is no such account.');
    requireOtherOwner(before, facts.origin);
    const after = decide(before);
    if (after === before) return before;
    await saveAccount(trx, after);
    const { origin, action, reason } = facts;
    await insertAuditRecord(trx, {
      id: newAuditId(),
      origin,
      action,
      accountId,
      reason,
      before: auditedFacts(before),
      after: auditedFacts(after),
      createdAt: now(),
    });
    return after;
  });
}

/** Separation of duties: no operator lifts the limits of an account of its own, or unfreezes it. */
function requireOtherOwner({ ownerId }: AccountRecord, origin: Origin): void {
  if (ownerId === origin.callerId) {
    throw new AuthorizationError(
      'OWN_ACCOUNT',
      'An operator may not change an account of its own. Another operator must do it.',
    );
  }
}
