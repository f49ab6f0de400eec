/**
 * Stores the ids of applied events, in the same transaction as their effect. Brokers deliver at least once, and with this table
 * the effect happens once. The SQL of the table is in the README.
 */
import { sql, type Transaction } from 'kysely';
import { unnest } from './unnest.ts';

/**
 * Stores the ids, and returns those that are new. Waits for a concurrent transaction that stores the same id.
 *
 * The ids are sorted, so that two transactions with the same ids cannot deadlock.
 */
export async function insertInbox<DB>(
  trx: Transaction<DB>,
  eventIds: readonly string[],
): Promise<Set<string>> {
  if (eventIds.length === 0) return new Set();
  const rows = [...new Set(eventIds)].sort().map((event_id) => ({ event_id }));
  const inserted = await sql<{ event_id: string }>`
    insert into inbox (event_id)
    select r.event_id from ${unnest(rows, { event_id: 'text' })} as r order by r.ordinality
    on conflict do nothing
    returning event_id`.execute(trx);
  return new Set(inserted.rows.map((row) => row.event_id));
}

/** Returns the items with a new event, each event once: a redelivery is often in the same batch as the first delivery. */
export async function firstDeliveries<DB, T>(
  trx: Transaction<DB>,
  items: readonly T[],
  eventIdOf: (item: T) => string,
): Promise<T[]> {
  const fresh = await insertInbox(trx, items.map(eventIdOf));
  return items.filter((item) => fresh.delete(eventIdOf(item)));
}
