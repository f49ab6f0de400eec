/** Reads and writes users, and the stored responses of CreateUser. */
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { User, UserRole } from '../domain/user.ts';
import type { Duty } from '../domain/user-changes.ts';
import type { Database, UserTable } from './database.ts';

export interface UserWithPassword extends User {
  passwordHash: string;
}

export interface UserForLogin extends UserWithPassword {
  tokensValidFrom: Date | null;
  /** Set if the password is a one-time password. */
  oneTimeUntil: Date | null;
}

const USER_COLUMNS = [
  ...(['id', 'username', 'roles', 'email', 'email_verified', 'language'] as const),
  ...(['state', 'version', 'created_at', 'last_login_at', 'has_second_factor'] as const),
  ...(['has_password', 'external_id', 'metadata'] as const),
] as const;

export async function findUser(db: Kysely<Database>, id: string): Promise<User | undefined> {
  const row = await db.selectFrom('users').select(USER_COLUMNS).where('id', '=', id).executeTakeFirst();
  return row && toUser(row);
}

/** Ignores case. */
export async function findUserByName(
  db: Kysely<Database>,
  username: string,
): Promise<UserWithPassword | undefined> {
  const row = await db
    .selectFrom('users')
    .select([...USER_COLUMNS, 'password_hash'])
    .where(sql`lower(username)`, '=', username.toLowerCase())
    .executeTakeFirst();
  return row && { ...toUser(row), passwordHash: row.password_hash };
}

export interface UserFilter {
  username: string | undefined;
  externalId: string | undefined;
}

/** Newest first: the ids are UUIDv7, which sort bytewise by creation time. */
export async function listUsers(
  db: Kysely<Database>,
  filter: UserFilter & { limit: number; beforeId: string | undefined },
): Promise<User[]> {
  const { limit, beforeId, username, externalId } = filter;
  const rows = await db
    .selectFrom('users')
    .select(USER_COLUMNS)
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId ?? ''))
    .$if(username !== undefined, (query) => query.where(sql<boolean>`lower(username) = lower(${username})`))
    .$if(externalId !== undefined, (query) => query.where('external_id', '=', externalId ?? ''))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toUser);
}

export async function countUsers(db: Kysely<Database>): Promise<number> {
  const { count } = await db
    .selectFrom('users')
    .select(sql<number>`count(*)::int`.as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

/** By id. No change of these users is stored until the transaction ends. */
export async function lockUsersAfter(
  trx: Transaction<Database>,
  afterId: string,
  limit: number,
): Promise<User[]> {
  const rows = await trx
    .selectFrom('users')
    .select(USER_COLUMNS)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .forNoKeyUpdate()
    .execute();
  return rows.map(toUser);
}

/** False if the name is taken. */
export async function insertUser(trx: Transaction<Database>, user: UserWithPassword): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('users')
    .values({
      id: user.id,
      username: user.username,
      password_hash: user.passwordHash,
      has_password: user.hasPassword,
      roles: [...user.roles],
      external_id: user.externalId,
      metadata: JSON.stringify(user.metadata),
      created_at: user.createdAt,
    })
    .onConflict((conflict) => conflict.expression(sql`lower(username)`).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

/**
 * Locks the user so that no session can be inserted for it: the foreign key of a session takes a lock that this one excludes.
 */
export async function lockUser(trx: Transaction<Database>, id: string): Promise<void> {
  await trx.selectFrom('users').select('id').where('id', '=', id).forUpdate().execute();
}

/** Waits for a password reset or a change of the user in progress (see `lockUser`). Logins of one user do not wait for each other. */
export async function lockUserForLogin(
  trx: Transaction<Database>,
  id: string,
): Promise<UserForLogin | undefined> {
  const row = await trx
    .selectFrom('users')
    .select([...USER_COLUMNS, 'password_hash', 'tokens_valid_from', 'one_time_until'])
    .where('id', '=', id)
    .forKeyShare()
    .executeTakeFirst();
  if (!row) return undefined;
  const {
    password_hash: passwordHash,
    tokens_valid_from: tokensValidFrom,
    one_time_until: oneTimeUntil,
  } = row;
  return { ...toUser(row), passwordHash, tokensValidFrom, oneTimeUntil };
}

export async function findPasswordHash(db: Kysely<Database>, id: string): Promise<string | undefined> {
  const row = await db.selectFrom('users').select('password_hash').where('id', '=', id).executeTakeFirst();
  return row?.password_hash;
}

export async function updatePassword(
  trx: Transaction<Database>,
  id: string,
  { passwordHash, oneTimeUntil = null }: { passwordHash: string; oneTimeUntil?: Date | null },
): Promise<void> {
  await trx
    .updateTable('users')
    .set({ password_hash: passwordHash, one_time_until: oneTimeUntil, has_password: true })
    .where('id', '=', id)
    .execute();
}

/** The time never falls. */
export async function updateTokensValidFrom(
  trx: Transaction<Database>,
  id: string,
  validFrom: Date,
): Promise<void> {
  await trx
    .updateTable('users')
    .set({ tokens_valid_from: sql`greatest(tokens_valid_from, ${validFrom}::timestamptz)` })
    .where('id', '=', id)
    .execute();
}

export async function updateRoles(
  trx: Transaction<Database>,
  id: string,
  roles: readonly UserRole[],
): Promise<void> {
  await trx
    .updateTable('users')
    .set({ roles: [...roles], version: sql`version + 1` })
    .where('id', '=', id)
    .execute();
}

/** Saves the fields that an admin may change. */
export async function saveUser(trx: Transaction<Database>, user: User): Promise<void> {
  await trx
    .updateTable('users')
    .set({
      roles: [...user.roles],
      email: user.email,
      email_verified: user.emailVerified,
      language: user.language,
      state: user.state,
      external_id: user.externalId,
      metadata: JSON.stringify(user.metadata),
      version: user.version,
    })
    .where('id', '=', user.id)
    .execute();
}

export async function updateLastLogin(trx: Transaction<Database>, id: string, at: Date): Promise<void> {
  await trx.updateTable('users').set({ last_login_at: at }).where('id', '=', id).execute();
}

/** One transaction at a time changes who has which duty. */
export async function lockDuties(trx: Transaction<Database>): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('auth.duties'))`.execute(trx);
}

/** True if another enabled user, who can log in, has the role. */
export async function hasOtherHolder(
  trx: Transaction<Database>,
  duty: Duty,
  userId: string,
): Promise<boolean> {
  const row = await trx
    .selectFrom('users')
    .select('id')
    .where('state', '=', 'enabled')
    .where('has_password', '=', true)
    .where('id', '<>', userId)
    .where(sql<boolean>`${duty} = any(roles)`)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Claims a caller's request id for the new `user`. False if it was claimed before. */
export async function claimCreateUserRequest(
  trx: Transaction<Database>,
  request: { callerId: string; requestId: string; user: User },
): Promise<boolean> {
  const { callerId, requestId, user } = request;
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('create_user_requests')
    .values({
      caller_id: callerId,
      request_id: requestId,
      user_id: user.id,
      username: user.username,
      roles: [...user.roles],
      external_id: user.externalId,
      metadata: JSON.stringify(user.metadata),
      has_password: user.hasPassword,
      created_at: user.createdAt,
    })
    .onConflict((conflict) => conflict.columns(['caller_id', 'request_id']).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

/** Returns the user that a caller's request created, with what the request asked for. The rest is as it is now. */
export async function findCreatedUser(
  db: Kysely<Database>,
  { callerId, requestId }: { callerId: string; requestId: string },
): Promise<UserWithPassword | undefined> {
  const row = await db
    .selectFrom('create_user_requests as request')
    .innerJoin('users', 'users.id', 'request.user_id')
    .select(['users.id', 'request.username', 'request.roles', 'request.created_at', 'users.password_hash'])
    .select(['users.email', 'users.email_verified', 'users.language', 'users.state', 'users.version'])
    .select(['users.last_login_at', 'users.has_second_factor'])
    .select(['request.external_id', 'request.metadata', 'request.has_password'])
    .where('request.caller_id', '=', callerId)
    .where('request.request_id', '=', requestId)
    .executeTakeFirst();
  return row && { ...toUser(row), passwordHash: row.password_hash };
}

function toUser(row: Pick<Selectable<UserTable>, (typeof USER_COLUMNS)[number]>): User {
  return {
    id: row.id,
    username: row.username,
    roles: row.roles,
    email: row.email,
    emailVerified: row.email_verified,
    language: row.language,
    state: row.state,
    version: row.version,
    createdAt: row.created_at,
    lastLoginAt: row.last_login_at,
    hasSecondFactor: row.has_second_factor,
    hasPassword: row.has_password,
    externalId: row.external_id,
    metadata: row.metadata,
  };
}
