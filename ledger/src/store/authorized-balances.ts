/**
 * Stores authorization's balances in a temporary table of the connection, for one proof. So the comparison with the journal runs
 * in Postgres, and its memory does not grow with the number of accounts.
 */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql } from 'kysely';
import type { AuthorizedBalance } from '../domain/proof.ts';
import type { Database } from './database.ts';

const BATCH = 5_000;

/** Replaces the balances of an earlier proof. Needs a single connection: `db.connection()`. */
export async function storeAuthorized(
  connection: Kysely<Database>,
  balances: AsyncIterable<AuthorizedBalance>,
): Promise<void> {
  await sql`
    create temporary table if not exists authorized_balances
      (account_id text not null, currency text not null, posted_minor bigint not null, held_minor bigint not null)
  `.execute(connection);
  await sql`truncate authorized_balances`.execute(connection);
  let batch: AuthorizedBalance[] = [];
  for await (const balance of balances) {
    batch.push(balance);
    if (batch.length < BATCH) continue;
    await insert(connection, batch);
    batch = [];
  }
  if (batch.length > 0) await insert(connection, batch);
}

async function insert(connection: Kysely<Database>, batch: readonly AuthorizedBalance[]): Promise<void> {
  const rows = unnest(batch, {
    accountId: 'text',
    currency: 'text',
    postedMinor: 'int8',
    heldMinor: 'int8',
  });
  await sql`
    insert into authorized_balances (account_id, currency, posted_minor, held_minor)
    select "accountId", currency, "postedMinor", "heldMinor" from ${rows} as r`.execute(connection);
}
