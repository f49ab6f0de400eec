/** The platform's own services as API clients. Only the operator's command writes them. */
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

/** Makes the client, or gives the one of this id the secret and the roles. Says which, or that all was right already. */
export async function upsertApiClient(
  trx: Transaction<Database>,
  client: ApiClient,
  now: Date,
): Promise<'client.created' | 'client.updated' | 'none'> {
  const told = { secret_hash: client.secretHash, roles: [...client.roles] };
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('api_clients')
    .values({ id: client.id, ...told, created_at: now })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 1n) return 'client.created';
  const { numUpdatedRows } = await trx
    .updateTable('api_clients')
    .set(told)
    .where('id', '=', client.id)
    .where((where) =>
      where.or([
        where('secret_hash', '!=', told.secret_hash),
        where('roles', '!=', sql<Role[]>`${told.roles}`),
      ]),
    )
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n ? 'client.updated' : 'none';
}
