/** Forgets everything that was counted, so that it can be counted anew. */
import { inTransaction } from '@payflowx/chassis/postgres';
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

/** Only the role that owns the tables may. In the order in which a flush locks them, so that a running service is not in the way. */
export async function emptyTables(db: Kysely<Database>): Promise<void> {
  await inTransaction(db, (trx) => sql`truncate inbox, account_totals, daily_totals`.execute(trx));
}
