/** Creates a user for an operator. */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import type { AuditFact } from '../domain/audit.ts';
import { AuthError } from '../domain/errors.ts';
import { createdUser, haveSameRoles, type NewUser, requireRequestId, type User } from '../domain/user.ts';
import { insertAuditRecord } from '../store/audit-records.ts';
import type { Database } from '../store/database.ts';
import {
  claimCreateUserRequest,
  findCreatedUser,
  insertUser,
  type UserWithPassword,
} from '../store/users.ts';
import type { PasswordHasher } from './password-hasher.ts';

interface CreateUserDeps {
  db: Kysely<Database>;
  passwords: PasswordHasher;
  now(): Date;
  newUserId(): string;
}

interface CreateUserRequest {
  origin: Origin;
  /** The caller's id for this request. Empty: not idempotent. */
  requestId: string;
  wanted: NewUser;
}

/**
 * A retry (same caller, same request id) returns the first response if everything that it asks for is the same. Throws
 * INVALID_ARGUMENT, USERNAME_TAKEN, REQUEST_ID_REUSED, TOO_MANY_LOGINS.
 */
export async function createUser(deps: CreateUserDeps, request: CreateUserRequest): Promise<User> {
  const { origin, requestId } = request;
  requireRequestId(requestId);
  // The lookup comes before the hash: a retry then costs one hash, as a new request does.
  const earlier = await findEarlier(deps, request);
  if (earlier) return replay(deps, request, earlier);
  const made = await make(deps, request);
  if (made) return made;
  // A concurrent request with the same id committed first.
  const concurrent = await findEarlier(deps, request);
  if (!concurrent)
    throw new Error(`The request ${requestId} of ${origin.callerId} was claimed but not found.`);
  return replay(deps, request, concurrent);
}

async function findEarlier(
  { db }: CreateUserDeps,
  { origin, requestId }: CreateUserRequest,
): Promise<UserWithPassword | undefined> {
  return requestId === '' ? undefined : findCreatedUser(db, { callerId: origin.callerId, requestId });
}

/** Undefined if a concurrent request claimed the request id. */
async function make(
  deps: CreateUserDeps,
  { origin, requestId, wanted }: CreateUserRequest,
): Promise<User | undefined> {
  const { password = unknownSecret(), ...chosen } = wanted;
  const passwordHash = await deps.passwords.hash(origin.callerId, password);
  const hasPassword = wanted.password !== undefined;
  const user = createdUser({ ...chosen, id: deps.newUserId(), hasPassword, createdAt: deps.now() });
  return inTransaction(deps.db, async (trx) => {
    if (
      requestId !== '' &&
      !(await claimCreateUserRequest(trx, { callerId: origin.callerId, requestId, user }))
    ) {
      return undefined;
    }
    if (!(await insertUser(trx, { ...user, passwordHash }))) {
      throw new AuthError('USERNAME_TAKEN', 'A user with this name already exists.');
    }
    await insertAuditRecord(trx, origin, userCreated(user), user.createdAt);
    return user;
  });
}

/**
 * Compares the password with the user's current hash, since no other trace of the password is stored. A retry with a wrong
 * password, or with one that was reset since, is therefore refused.
 */
async function replay(
  { passwords }: CreateUserDeps,
  { origin, wanted }: CreateUserRequest,
  { passwordHash, ...earlier }: UserWithPassword,
): Promise<User> {
  const { password } = wanted;
  const sameFields = isSameRequest(earlier, wanted);
  const same =
    sameFields &&
    (password === undefined ||
      (await passwords.inTurn(origin.callerId, (matches) => matches(passwordHash, password))));
  if (same) return earlier;
  throw new AuthError('REQUEST_ID_REUSED', 'This request id was used for another user or another password.');
}

function isSameRequest(earlier: User, wanted: NewUser): boolean {
  const { username, roles, externalId, metadata } = wanted;
  return (
    earlier.hasPassword === (wanted.password !== undefined) &&
    earlier.username === username &&
    haveSameRoles(earlier.roles, roles) &&
    earlier.externalId === externalId &&
    isDeepStrictEqual(earlier.metadata, metadata)
  );
}

/** A secret that is not stored and not returned. Its hash takes the place of a password, so a login of this user fails like any other. */
function unknownSecret(): string {
  return randomBytes(32).toString('base64url');
}

export function userCreated({ id, username, roles, hasPassword }: User): AuditFact {
  const details = { username, roles, ...(!hasPassword && { has_password: false }) };
  return { action: 'user.created', subjectId: id, details };
}
