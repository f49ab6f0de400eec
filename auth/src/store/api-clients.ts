/** Reads and writes the API clients of the platform's own services. Only the operator's command writes them. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { ApiClient } from '../domain/api-client.ts';
import type { Role } from '../domain/user.ts';
import type { Database } from './database.ts';

export async function findApiClient(db: Kysely<Database>, id: string): Promise<ApiClient | undefined> {
  const row = await db
    .selectFrom('api_clients')
    .select(['id', 'secret_hash', 'roles'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row && { id: row.id, secretHash: row.secret_hash, roles: row.roles };
}

/** Creates the client, or updates the secret and roles of an existing one. Returns the change, if any. */
export async function upsertApiClient(
  trx: Transaction<Database>,
  client: ApiClient,
  now: Date,
): Promise<'client.created' | 'client.updated' | 'none'> {
  const credentials = { secret_hash: client.secretHash, roles: [...client.roles] };
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('api_clients')
    .values({ id: client.id, ...credentials, created_at: now })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 1n) return 'client.created';
  const { numUpdatedRows } = await trx
    .updateTable('api_clients')
    .set(credentials)
    .where('id', '=', client.id)
    .where((where) =>
      where.or([
        where('secret_hash', '!=', credentials.secret_hash),
        where('roles', '!=', sql<Role[]>`${credentials.roles}`),
      ]),
    )
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n ? 'client.updated' : 'none';
}
