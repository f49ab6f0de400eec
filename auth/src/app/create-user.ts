/** An operator makes a user. */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import type { Actor, AuditFact } from '../domain/audit.ts';
import { AuthError } from '../domain/errors.ts';
import { haveSameRoles, type NewUser, requireRequestId, type User } from '../domain/user.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import { claimCreateUserRequest, insertUser } from '../store/users.ts';
import type { PasswordHasher } from './password-hasher.ts';

interface CreateUserDeps {
  db: Kysely<Database>;
  passwords: Pick<PasswordHasher, 'hash'>;
  now(): Date;
  newUserId(): string;
}

interface CreateUserRequest {
  actor: Actor;
  /** The caller's id for this request. Empty: not idempotent. */
  requestId: string;
  wanted: NewUser;
}

/**
 * The same caller's request id again returns the first answer; the password is not compared, since only its hash is kept.
 * Throws INVALID_ARGUMENT, USERNAME_TAKEN, REQUEST_ID_REUSED, TOO_MANY_LOGINS.
 */
export async function createUser(deps: CreateUserDeps, request: CreateUserRequest): Promise<User> {
  const { actor, requestId, wanted } = request;
  requireRequestId(requestId);
  const passwordHash = await deps.passwords.hash(actor.id, wanted.password);
  const user: User = {
    id: deps.newUserId(),
    username: wanted.username,
    roles: wanted.roles,
    createdAt: deps.now(),
  };
  return inTransaction(deps.db, async (trx) => {
    if (requestId !== '') {
      const earlier = await claimCreateUserRequest(trx, { callerId: actor.id, requestId, user });
      if (earlier) return replay(earlier, user);
    }
    if (!(await insertUser(trx, { ...user, passwordHash }))) {
      throw new AuthError('USERNAME_TAKEN', 'There is a user of this name already.');
    }
    await insertAuditRecord(trx, actor, userCreated(user), user.createdAt);
    return user;
  });
}

export function userCreated({ id, username, roles }: User): AuditFact {
  return { action: 'user.created', subjectId: id, details: { username, roles } };
}

function replay(earlier: User, asked: User): User {
  if (earlier.username !== asked.username || !haveSameRoles(earlier.roles, asked.roles)) {
    throw new AuthError('REQUEST_ID_REUSED', 'This request id was used for another user.');
  }
  return earlier;
}
