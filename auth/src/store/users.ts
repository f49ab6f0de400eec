/** Reads and writes users, and the stored responses of CreateUser. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { User, UserRole } from '../domain/user.ts';
import type { Database } from './database.ts';

export interface UserWithPassword extends User {
  passwordHash: string;
}

const USER_COLUMNS = ['id', 'username', 'roles', 'created_at'] as const;

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

/** Newest first: the ids are UUIDv7, which sort bytewise by creation time. */
export async function listUsers(
  db: Kysely<Database>,
  { limit, beforeId }: { limit: number; beforeId: string | undefined },
): Promise<User[]> {
  const rows = await db
    .selectFrom('users')
    .select(USER_COLUMNS)
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId ?? ''))
    .orderBy('id', 'desc')
    .limit(limit)
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
      roles: [...user.roles],
      created_at: user.createdAt,
    })
    .onConflict((conflict) => conflict.expression(sql`lower(username)`).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

/**
 * Locks the user so that no session can be inserted for it: the foreign key of a session takes a lock that this one excludes. Only the
 * owner of the database may take it.
 */
export async function lockUser(trx: Transaction<Database>, id: string): Promise<void> {
  await trx.selectFrom('users').select('id').where('id', '=', id).forUpdate().execute();
}

export async function updatePassword(
  trx: Transaction<Database>,
  id: string,
  passwordHash: string,
): Promise<void> {
  await trx.updateTable('users').set({ password_hash: passwordHash }).where('id', '=', id).execute();
}

export async function updateRoles(
  trx: Transaction<Database>,
  id: string,
  roles: readonly UserRole[],
): Promise<void> {
  await trx
    .updateTable('users')
    .set({ roles: [...roles] })
    .where('id', '=', id)
    .execute();
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
      created_at: user.createdAt,
    })
    .onConflict((conflict) => conflict.columns(['caller_id', 'request_id']).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

/** Returns the user that a caller's request created, as it was then, but with the current password hash. */
export async function findCreatedUser(
  db: Kysely<Database>,
  { callerId, requestId }: { callerId: string; requestId: string },
): Promise<UserWithPassword | undefined> {
  const row = await db
    .selectFrom('create_user_requests as request')
    .innerJoin('users', 'users.id', 'request.user_id')
    .select(['users.id', 'request.username', 'request.roles', 'request.created_at', 'users.password_hash'])
    .where('request.caller_id', '=', callerId)
    .where('request.request_id', '=', requestId)
    .executeTakeFirst();
  return row && { ...toUser(row), passwordHash: row.password_hash };
}

function toUser(row: { id: string; username: string; roles: UserRole[]; created_at: Date }): User {
  return { id: row.id, username: row.username, roles: row.roles, createdAt: row.created_at };
}
