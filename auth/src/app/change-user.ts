/** Changes a user for an admin. */
import type { Keys, Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import type { AuditFact } from '../domain/audit.ts';
import { haveSameRoles, type User, type UserState } from '../domain/user.ts';
import {
  changedFields,
  changeUserState,
  dutiesLost,
  lastHolder,
  requireUserUpdate,
  type UserUpdate,
  updateUser,
} from '../domain/user-changes.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import { endFamilies } from '../store/refresh-families.ts';
import { findUser, hasOtherHolder, lockDuties, lockUser, saveUser } from '../store/users.ts';
import { announceContact } from './confirm-email.ts';
import { userNotFound } from './get-user.ts';
import { revokeTokensOfUser } from './sessions.ts';

export interface ChangeDeps {
  db: Kysely<Database>;
  sealingKey: Keys;
  now(): Date;
}

interface UpdateRequest {
  origin: Origin;
  userId: string;
  expectedVersion: bigint;
  update: UserUpdate;
}

/** Throws INVALID_ARGUMENT, USER_NOT_FOUND, VERSION_MISMATCH, LAST_OPERATOR. */
export async function updateUserFor(deps: ChangeDeps, request: UpdateRequest): Promise<User> {
  const { origin, userId, expectedVersion, update } = request;
  requireUserUpdate(update);
  return changeUser(deps, { origin, userId }, (user) => updateUser(user, update, expectedVersion), {
    action: 'user.updated',
    // The address and the metadata stay out of the audit log, which is never erased.
    details: (after, before) => ({ roles: after.roles, changed: changedFields(before, after) }),
  });
}

/** A disabled user keeps no session and no valid token. Throws USER_NOT_FOUND, LAST_OPERATOR. */
export async function changeUserStateFor(
  deps: ChangeDeps,
  { origin, userId, state }: { origin: Origin; userId: string; state: UserState },
): Promise<User> {
  return changeUser(deps, { origin, userId }, (user) => changeUserState(user, state), {
    action: state === 'disabled' ? 'user.disabled' : 'user.enabled',
    details: ({ roles }) => ({ roles }),
  });
}

interface ChangeRecord {
  action: AuditFact['action'];
  details(after: User, before: User): AuditFact['details'];
}

/** Changes one user at a time, so that of two concurrent changes one cannot take the last operator away unseen. */
async function changeUser(
  { db, sealingKey, now }: ChangeDeps,
  { origin, userId }: { origin: Origin; userId: string },
  change: (user: User) => User,
  { action, details }: ChangeRecord,
): Promise<User> {
  return inTransaction(db, async (trx) => {
    await lockDuties(trx);
    await lockUser(trx, userId);
    const before = await findUser(trx, userId);
    if (!before) throw userNotFound();
    const after = change(before);
    if (after === before) return before;
    await requireDuties(trx, before, after);
    await saveUser(trx, after);
    const at = now();
    await announceContact(trx, { sealingKey, now }, before, after);
    const fact = { action, subjectId: userId, details: details(after, before) };
    await insertAuditRecord(trx, origin, fact, at);
    await revokeRights(trx, before, after, at);
    return after;
  });
}

/** Tokens name the roles, so those with other roles are revoked. */
async function revokeRights(trx: Transaction<Database>, before: User, after: User, now: Date): Promise<void> {
  const isDisabled = after.state === 'disabled' && before.state === 'enabled';
  if (isDisabled) await endFamilies(trx, { userId: after.id }, { reason: 'disabled', now });
  if (isDisabled || !haveSameRoles(before.roles, after.roles)) await revokeTokensOfUser(trx, after.id, now);
}

async function requireDuties(trx: Transaction<Database>, before: User, after: User): Promise<void> {
  for (const duty of dutiesLost(before, after)) {
    if (!(await hasOtherHolder(trx, duty, before.id))) throw lastHolder(duty);
  }
}
