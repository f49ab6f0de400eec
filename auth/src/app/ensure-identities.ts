/**
 * Makes users and API clients equal to a file of secrets. The file wins: entries that differ are corrected, equal entries are not
 * touched. So the command can run at every startup.
 */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { COMMAND } from '../domain/audit.ts';
import { AuthError } from '../domain/errors.ts';
import {
  createdUser,
  haveSameRoles,
  isUsername,
  newUser,
  type User,
  type UserRole,
  userRoles,
} from '../domain/user.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import {
  findUserByName,
  insertUser,
  lockUser,
  type UserWithPassword,
  updatePassword,
  updateRoles,
} from '../store/users.ts';
import { userCreated } from './create-user.ts';
import type { PasswordHasher } from './password-hasher.ts';
import { endSessions, revokeTokensOfUser } from './sessions.ts';

interface EnsureDeps {
  /** Connects as the owner of the database: the role of the service may not change users or clients. */
  db: Kysely<Database>;
  passwords: PasswordHasher;
  now(): Date;
  newUserId(): string;
}

interface WantedUser {
  username: string;
  /** Undefined keeps the password of an existing user. */
  password?: string | undefined;
  roles: readonly string[];
}

/** Returns the user as it is afterwards. Throws INVALID_ARGUMENT. */
export async function ensureUser(deps: EnsureDeps, input: WantedUser): Promise<User> {
  const { password } = input;
  const found = isUsername(input.username) ? await findUserByName(deps.db, input.username) : undefined;
  if (password === undefined) {
    if (!found) throw new AuthError('INVALID_ARGUMENT', 'A new user needs a password.');
    return correctUser(deps, found, { password, roles: userRoles(input.roles) });
  }
  const wanted = newUser({ ...input, password, externalId: '', metadata: {} });
  if (found) return correctUser(deps, found, wanted);
  const { password: _, ...chosen } = wanted;
  const made = { ...chosen, id: deps.newUserId(), hasPassword: true, createdAt: deps.now() };
  const user = createdUser(made);
  const passwordHash = await deps.passwords.hash(user.username, password);
  const inserted = await inTransaction(deps.db, async (trx) => {
    if (!(await insertUser(trx, { ...user, passwordHash }))) return false;
    await insertAuditRecord(trx, COMMAND, userCreated(user), user.createdAt);
    return true;
  });
  // A concurrent run created the user: read it again.
  return inserted ? user : ensureUser(deps, input);
}

/** A password that does not verify is reset. That also ends the logins made with the old password. */
async function correctUser(
  deps: EnsureDeps,
  { passwordHash: foundHash, ...found }: UserWithPassword,
  wanted: { password: string | undefined; roles: readonly UserRole[] },
): Promise<User> {
  const { id, username } = found;
  const passwordHash = await newHash(deps, { username, passwordHash: foundHash }, wanted.password);
  const changesRoles = !haveSameRoles(found.roles, wanted.roles);
  if (passwordHash === undefined && !changesRoles) return found;
  await inTransaction(deps.db, async (trx) => {
    // A login in progress has inserted its session or waits here, and then finds the new password.
    await lockUser(trx, id);
    if (passwordHash !== undefined) await updatePassword(trx, id, { passwordHash });
    if (changesRoles) await updateRoles(trx, id, wanted.roles);
    const details = { roles: wanted.roles, password_reset: passwordHash !== undefined };
    const now = deps.now();
    await insertAuditRecord(trx, COMMAND, { action: 'user.updated', subjectId: id, details }, now);
    if (passwordHash !== undefined) await endSessions(trx, { userId: id }, { reason: 'password-reset', now });
    if (changesRoles) await revokeTokensOfUser(trx, id, now);
  });
  return { ...found, roles: wanted.roles };
}

/** Undefined if the user keeps its password. */
async function newHash(
  { passwords }: EnsureDeps,
  { username, passwordHash }: Pick<UserWithPassword, 'username' | 'passwordHash'>,
  password: string | undefined,
): Promise<string | undefined> {
  if (password === undefined) return undefined;
  const verifies = await passwords.inTurn(username, (matches) => matches(passwordHash, password));
  return verifies ? undefined : passwords.hash(username, password);
}
