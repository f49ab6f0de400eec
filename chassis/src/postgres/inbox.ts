/**
 * Remembers, in the transaction of the effect, which events this service has dealt with.
 * Brokers deliver at least once; with this the effect happens once. The table's SQL is in the README.
 */
import { sql, type Transaction } from 'kysely';
import { unnest } from './unnest.ts';

/**
 * The ids that are new, remembered from now on. Waits for a concurrent transaction that is storing the same id.
 * Sorted, so that two transactions with the same ids cannot wait for each other.
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

/** The items whose event is new, each event once: a redelivery often sits in the same batch as the first. */
export async function firstDeliveries<DB, T>(
  trx: Transaction<DB>,
  items: readonly T[],
  eventIdOf: (item: T) => string,
): Promise<T[]> {
  const fresh = await insertInbox(trx, items.map(eventIdOf));
  return items.filter((item) => fresh.delete(eventIdOf(item)));
}
