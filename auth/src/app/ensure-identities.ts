/**
 * Makes users and API clients be as a file of secrets says. Whoever runs this holds the truth: what differs is set right,
 * what is right already is left alone, so it can run at every start.
 */
import { inTransaction } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { CLIENT_SECRET_MIN, hashClientSecret, isClientId } from '../domain/api-client.ts';
import { AuthError } from '../domain/errors.ts';
import { haveSameRoles, type NewUser, newUser, type Role, type User } from '../domain/user.ts';
import { upsertApiClient } from '../store/api-clients.ts';
import type { Database } from '../store/database.ts';
import { revokeFamiliesOfUser } from '../store/refresh-tokens.ts';
import {
  findUserByName,
  insertUser,
  type UserWithPassword,
  updatePassword,
  updateRoles,
} from '../store/users.ts';
import type { PasswordHasher } from './password-hasher.ts';

interface EnsureDeps {
  /** As the owner of the database: the role that serves may not change users or clients. */
  db: Kysely<Database>;
  passwords: PasswordHasher;
  now(): Date;
  newUserId(): string;
}

/** The user as it is afterwards. Throws INVALID_ARGUMENT. */
export async function ensureUser(
  deps: EnsureDeps,
  asked: { username: string; password: string; roles: readonly string[] },
): Promise<User> {
  const wanted = newUser(asked);
  const found = await findUserByName(deps.db, wanted.username);
  if (found) return correctUser(deps, found, wanted);
  const { username, roles } = wanted;
  const user: User = { id: deps.newUserId(), username, roles, createdAt: deps.now() };
  const passwordHash = await deps.passwords.hash(wanted.password);
  const inserted = await inTransaction(deps.db, (trx) => insertUser(trx, { ...user, passwordHash }));
  // Another run made the user meanwhile: look again.
  return inserted ? user : ensureUser(deps, asked);
}

/** A password that does not verify is reset, which also ends the logins made with the old one. */
async function correctUser(deps: EnsureDeps, found: UserWithPassword, wanted: NewUser): Promise<User> {
  const { id, username, createdAt } = found;
  const verifies = await deps.passwords.matches(found.passwordHash, wanted.password);
  const passwordHash = verifies ? undefined : await deps.passwords.hash(wanted.password);
  await inTransaction(deps.db, async (trx) => {
    if (passwordHash !== undefined) {
      await updatePassword(trx, id, passwordHash);
      await revokeFamiliesOfUser(trx, id, deps.now());
    }
    if (!haveSameRoles(found.roles, wanted.roles)) await updateRoles(trx, id, wanted.roles);
  });
  return { id, username, roles: wanted.roles, createdAt };
}

/** Throws INVALID_ARGUMENT. */
export async function ensureClient(
  { db, now }: Pick<EnsureDeps, 'db' | 'now'>,
  { id, secret, roles }: { id: string; secret: string; roles: readonly Role[] },
): Promise<void> {
  if (!isClientId(id)) {
    throw new AuthError('INVALID_ARGUMENT', `The client id ${id} must look like svc_payment.`);
  }
  if (secret.length < CLIENT_SECRET_MIN) {
    throw new AuthError(
      'INVALID_ARGUMENT',
      `The secret of ${id} must have at least ${CLIENT_SECRET_MIN} characters.`,
    );
  }
  const client = { id, secretHash: hashClientSecret(secret), roles };
  await inTransaction(db, (trx) => upsertApiClient(trx, client, now()));
}
