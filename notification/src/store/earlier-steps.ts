/** Counts the steps of payments that are stored already. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

/** By notifications, because these are kept for ever. A payment without any has no entry. */
export async function countStoredSteps(
  db: Kysely<Database>,
  paymentIds: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await sql<{ payment_id: string; count: number }>`
    select payment_id, count(distinct event_id)::int as count from notifications
    where payment_id = any(${paymentIds}::text[]) group by payment_id`.execute(db);
  return new Map(rows.map(({ payment_id, count }) => [payment_id, count]));
}
