/**
 * Makes users and API clients equal to a file of secrets. The file wins: entries that differ are corrected, equal entries are not
 * touched. So the command can run at every startup.
 */
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { CLIENT_SECRET_MIN, hashClientSecret, isClientId } from '../domain/api-client.ts';
import { COMMAND } from '../domain/audit.ts';
import { AuthError } from '../domain/errors.ts';
import {
  haveSameRoles,
  isUsername,
  newUser,
  type Role,
  type User,
  type UserRole,
  userRoles,
} from '../domain/user.ts';
import { upsertApiClient } from '../store/api-clients.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import { revokeFamiliesOfUser } from '../store/refresh-families.ts';
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
  const wanted = newUser({ ...input, password });
  if (found) return correctUser(deps, found, wanted);
  const { username, roles } = wanted;
  const user: User = { id: deps.newUserId(), username, roles, createdAt: deps.now() };
  const passwordHash = await deps.passwords.hash(username, wanted.password);
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
  found: UserWithPassword,
  wanted: { password: string | undefined; roles: readonly UserRole[] },
): Promise<User> {
  const { id, username, createdAt } = found;
  const passwordHash = await newHash(deps, found, wanted.password);
  const changesRoles = !haveSameRoles(found.roles, wanted.roles);
  if (passwordHash === undefined && !changesRoles) return { id, username, roles: wanted.roles, createdAt };
  await inTransaction(deps.db, async (trx) => {
    // A login in progress has inserted its session or waits here, and then finds the new password.
    await lockUser(trx, id);
    if (passwordHash !== undefined) {
      await updatePassword(trx, id, passwordHash);
      await revokeFamiliesOfUser(trx, id, deps.now());
    }
    if (changesRoles) await updateRoles(trx, id, wanted.roles);
    const details = { roles: wanted.roles, password_reset: passwordHash !== undefined };
    await insertAuditRecord(trx, COMMAND, { action: 'user.updated', subjectId: id, details }, deps.now());
  });
  return { id, username, roles: wanted.roles, createdAt };
}

/** Undefined if the user keeps its password. */
async function newHash(
  { passwords }: EnsureDeps,
  { username, passwordHash }: UserWithPassword,
  password: string | undefined,
): Promise<string | undefined> {
  if (password === undefined) return undefined;
  const verifies = await passwords.inTurn(username, (matches) => matches(passwordHash, password));
  return verifies ? undefined : passwords.hash(username, password);
}

/** Throws INVALID_ARGUMENT. */
export async function ensureClient(
  { db, now }: Pick<EnsureDeps, 'db' | 'now'>,
  { id, secret, roles }: { id: string; secret: string; roles: readonly Role[] },
): Promise<void> {
  if (!isClientId(id)) {
    throw new AuthError('INVALID_ARGUMENT', `The client id ${id} must have the form svc_payment.`);
  }
  if (secret.length < CLIENT_SECRET_MIN) {
    throw new AuthError(
      'INVALID_ARGUMENT',
      `The secret of ${id} must have at least ${CLIENT_SECRET_MIN} characters.`,
    );
  }
  const client = { id, secretHash: hashClientSecret(secret), roles };
  await inTransaction(db, async (trx) => {
    const change = await upsertApiClient(trx, client, now());
    if (change === 'none') return;
    await insertAuditRecord(trx, COMMAND, { action: change, subjectId: id, details: { roles } }, now());
  });
}
