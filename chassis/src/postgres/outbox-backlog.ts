/** Reads how many events wait in the outbox, and for how long. */
import { type Kysely, sql } from 'kysely';

export interface OutboxBacklog {
  destination: string;
  /** Number of events that the relay has not published yet. */
  waitingCount: bigint;
  /** When the oldest of them was stored. Undefined if none waits. */
  oldestAt: Date | undefined;
  /** Number of dead letters: events that the broker refused. */
  refusedCount: bigint;
}

/** Returns the backlog of each destination, in the given order. */
export async function readOutboxBacklog<DB>(
  db: Kysely<DB>,
  destinations: readonly string[],
): Promise<OutboxBacklog[]> {
  const { rows } = await sql<{
    destination: string;
    waiting: bigint;
    oldest_at: Date | null;
    refused: bigint;
  }>`
    select d.destination, waiting.count as waiting, waiting.oldest_at, refused.count as refused
    from unnest(${destinations}::text[]) with ordinality as d (destination, position)
      cross join lateral (
        select coalesce(sum(event_count), 0)::bigint as count, min(created_at) as oldest_at
        from outbox where destination = d.destination
      ) as waiting
      cross join lateral (
        select coalesce(sum(event_count), 0)::bigint as count
        from outbox_dead_letters where destination = d.destination
      ) as refused
    order by d.position`.execute(db);
  return rows.map(({ destination, waiting, oldest_at, refused }) => ({
    destination,
    waitingCount: waiting,
    oldestAt: oldest_at ?? undefined,
    refusedCount: refused,
  }));
}

/** Returns the age of the oldest event that waits for this destination, in milliseconds; 0 if none waits. */
export async function oldestUnpublishedMs<DB>(db: Kysely<DB>, destination: string): Promise<number> {
  // By id and not by time, because the index has the ids. The oldest id is the oldest row, or a few milliseconds younger.
  const { rows } = await sql<{ age_ms: number }>`
    select (extract(epoch from clock_timestamp() - created_at) * 1000)::float8 as age_ms
    from outbox where destination = ${destination} order by id limit 1`.execute(db);
  return rows[0]?.age_ms ?? 0;
}
