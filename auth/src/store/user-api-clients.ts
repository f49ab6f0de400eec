/** Reads and writes API clients that act for a user. */
import type { Scope } from '@payflowx/chassis';
import type { Kysely, Transaction } from 'kysely';
import type { UserRole } from '../domain/user.ts';
import type { UserApiClient } from '../domain/user-api-client.ts';
import type { Database } from './database.ts';

const CLIENT_COLUMNS = [
  'id',
  'name',
  'user_id',
  'scopes',
  'created_at',
  'revoked_at',
  'secret_hash',
] as const;

export interface InsertedClient {
  client: UserApiClient;
  secretHash: Buffer;
  createdBy: string;
  /** Empty: not idempotent. */
  requestId: string;
}

/** False if the same operator already created a client with this request id. */
export async function insertUserApiClient(
  trx: Transaction<Database>,
  { client, secretHash, createdBy, requestId }: InsertedClient,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('user_api_clients')
    .values({
      id: client.id,
      name: client.name,
      user_id: client.userId,
      scopes: [...client.scopes],
      secret_hash: secretHash,
      created_by: createdBy,
      request_id: requestId === '' ? null : requestId,
      created_at: client.createdAt,
    })
    .onConflict((conflict) => conflict.columns(['created_by', 'request_id']).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

export async function findClientOfRequest(
  db: Kysely<Database>,
  { createdBy, requestId }: { createdBy: string; requestId: string },
): Promise<UserApiClient | undefined> {
  const row = await db
    .selectFrom('user_api_clients')
    .select(CLIENT_COLUMNS)
    .where('created_by', '=', createdBy)
    .where('request_id', '=', requestId)
    .executeTakeFirst();
  return row && toClient(row);
}

export interface LoginOfClient {
  id: string;
  /** Null if the client logs in with a key only. */
  secretHash: Buffer | null;
  userId: string;
  roles: readonly UserRole[];
  scopes: readonly Scope[];
  tokensValidFrom: Date | null;
}

/** Returns the fields that a login needs. Undefined if the client does not exist or is revoked, or if its user is disabled. */
export async function findLoginOfClient(
  db: Kysely<Database>,
  id: string,
): Promise<LoginOfClient | undefined> {
  const row = await db
    .selectFrom('user_api_clients as client')
    .innerJoin('users', 'users.id', 'client.user_id')
    .select(['client.secret_hash', 'client.scopes', 'users.id as user_id', 'users.roles'])
    .select('users.tokens_valid_from')
    .where('client.id', '=', id)
    .where('client.revoked_at', 'is', null)
    .where('users.state', '=', 'enabled')
    .executeTakeFirst();
  if (!row) return undefined;
  const { secret_hash: secretHash, user_id: userId, roles, scopes, tokens_valid_from: tokensValidFrom } = row;
  return { id, secretHash, userId, roles, scopes, tokensValidFrom };
}

export async function findUserApiClient(
  db: Kysely<Database>,
  id: string,
): Promise<UserApiClient | undefined> {
  const row = await db
    .selectFrom('user_api_clients')
    .select(CLIENT_COLUMNS)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && toClient(row);
}

export async function lockUserApiClient(
  trx: Transaction<Database>,
  id: string,
): Promise<UserApiClient | undefined> {
  const row = await trx
    .selectFrom('user_api_clients')
    .select(CLIENT_COLUMNS)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  return row && toClient(row);
}

/** Newest first: the ids are UUIDv7. */
export async function listUserApiClients(
  db: Kysely<Database>,
  query: { limit: number; beforeId: string | undefined; userId: string | undefined },
): Promise<UserApiClient[]> {
  const { limit, beforeId, userId } = query;
  const rows = await db
    .selectFrom('user_api_clients')
    .select(CLIENT_COLUMNS)
    .$if(beforeId !== undefined, (clients) => clients.where('id', '<', beforeId ?? ''))
    .$if(userId !== undefined, (clients) => clients.where('user_id', '=', userId ?? ''))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toClient);
}

/** Also deletes its secret. */
export async function revokeUserApiClient(trx: Transaction<Database>, id: string, now: Date): Promise<void> {
  await trx
    .updateTable('user_api_clients')
    .set({ revoked_at: now, secret_hash: null })
    .where('id', '=', id)
    .execute();
}

/** Null: the client has no secret from then on. */
export async function updateClientSecret(
  trx: Transaction<Database>,
  id: string,
  secretHash: Buffer | null,
): Promise<void> {
  await trx.updateTable('user_api_clients').set({ secret_hash: secretHash }).where('id', '=', id).execute();
}

function toClient(row: {
  id: string;
  name: string;
  user_id: string;
  scopes: Scope[];
  created_at: Date;
  revoked_at: Date | null;
  secret_hash: Buffer | null;
}): UserApiClient {
  const { id, name, user_id: userId, scopes, created_at: createdAt, revoked_at: revokedAt } = row;
  return { id, name, userId, scopes, createdAt, revokedAt, hasSecret: row.secret_hash !== null };
}
