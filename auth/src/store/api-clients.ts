/** API clients. Only the operator CLI writes them. */
import type { Kysely, Transaction } from 'kysely';
import type { ApiClient } from '../domain/api-client.ts';
import type { Database } from './database.ts';

export async function findApiClient(db: Kysely<Database>, id: string): Promise<ApiClient | undefined> {
  const row = await db
    .selectFrom('api_clients')
    .select(['id', 'secret_hash', 'roles'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row && { id: row.id, secretHash: row.secret_hash, roles: row.roles };
}

/** Makes the client, or gives the one of this id the secret and the roles. */
export async function upsertApiClient(
  trx: Transaction<Database>,
  client: ApiClient,
  now: Date,
): Promise<void> {
  const told = { secret_hash: client.secretHash, roles: [...client.roles] };
  await trx
    .insertInto('api_clients')
    .values({ id: client.id, ...told, created_at: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(told))
    .execute();
}
