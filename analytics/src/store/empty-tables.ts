/** Deletes all totals and the inbox with its horizon, so that everything can be counted again. */
import { inTransaction } from '@payflowx/chassis/postgres';
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

/**
 * Needs the role that owns the tables. Takes the locks in the order of a batch, so that it cannot deadlock with a running
 * service.
 */
export async function emptyTables(db: Kysely<Database>): Promise<void> {
  await inTransaction(db, async (trx) => {
    await sql`truncate inbox, account_totals, daily_totals`.execute(trx);
    await sql`update inbox_horizon set event_id = default, newest_event_id = default, moved_at = now()`.execute(
      trx,
    );
  });
}
