/** Reads and writes the public keys of API clients, and the assertions that they have used. */
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { ClientAssertion } from '../domain/client-assertion.ts';
import type { ClientKey } from '../domain/client-key.ts';
import type { Database } from './database.ts';

/** The oldest first. */
export async function listClientKeys(db: Kysely<Database>, clientId: string): Promise<ClientKey[]> {
  const rows = await db
    .selectFrom('client_keys')
    .selectAll()
    .where('client_id', '=', clientId)
    .orderBy('created_at')
    .orderBy('kid')
    .execute();
  return rows.map(toClientKey);
}

export async function insertClientKey(
  trx: Transaction<Database>,
  clientId: string,
  { kid, jwk, createdAt }: ClientKey,
): Promise<void> {
  const row = { client_id: clientId, kid, jwk: JSON.stringify(jwk), created_at: createdAt };
  await trx.insertInto('client_keys').values(row).execute();
}

export async function deleteClientKey(
  trx: Transaction<Database>,
  clientId: string,
  kid: string,
): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('client_keys')
    .where('client_id', '=', clientId)
    .where('kid', '=', kid)
    .executeTakeFirst();
  return numDeletedRows === 1n;
}

export async function hasClientKey(db: Kysely<Database>, clientId: string, kid: string): Promise<boolean> {
  const row = await db
    .selectFrom('client_keys')
    .select('kid')
    .where('client_id', '=', clientId)
    .where('kid', '=', kid)
    .executeTakeFirst();
  return row !== undefined;
}

/** False if the assertion was used before. Of two concurrent uses, the second waits for the first. */
export async function insertAssertion(
  trx: Transaction<Database>,
  { clientId, jtiHash, uselessAt }: ClientAssertion,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('client_assertions')
    .values({ client_id: clientId, jti_hash: jtiHash, expires_at: uselessAt })
    .onConflict((conflict) => conflict.columns(['client_id', 'jti_hash']).doNothing())
    .executeTakeFirstOrThrow();
  return numInsertedOrUpdatedRows === 1n;
}

export async function deleteExpiredAssertions(db: Kysely<Database>, now: Date): Promise<void> {
  await db.deleteFrom('client_assertions').where('expires_at', '<=', now).execute();
}

function toClientKey({ kid, jwk, created_at }: Selectable<Database['client_keys']>): ClientKey {
  return { kid, jwk, createdAt: created_at };
}
