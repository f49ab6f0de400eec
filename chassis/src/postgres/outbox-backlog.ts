/** Reads how many events wait in the outbox, and for how long. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import type { Stage } from '../messaging/pipeline-service.ts';
import type { Logger } from '../telemetry/log.ts';

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

/** The stages in which events leave the outbox, one for each destination. */
export function publishStages<DB>(db: Kysely<DB>, destinations: readonly string[]): Stage[] {
  return destinations.map((source) => ({
    activity: 'publish',
    source,
    async read() {
      const [backlog] = await readOutboxBacklog(db, [source]);
      const { waitingCount = 0n, oldestAt } = backlog ?? {};
      const seconds = oldestAt ? Math.max(0, (Date.now() - oldestAt.getTime()) / 1_000) : 0;
      return { messages: Number(waitingCount), seconds };
    },
  }));
}

/** While more events wait in the outbox, new ones would be delayed: a command that adds many pauses. */
const MAX_WAITING = 2_000n;
const PAUSE_MS = 200;

/**
 * Waits until the relays have published most of what waits. While a broker is unavailable, it waits for the broker. For commands that add
 * many events beside the running service.
 */
export async function waitForRelays<DB>(
  db: Kysely<DB>,
  log: Logger,
  destinations: readonly string[],
): Promise<void> {
  for (let pauses = 0; ; pauses += 1) {
    const backlog = await readOutboxBacklog(db, destinations);
    const slow = backlog.find(({ waitingCount }) => waitingCount > MAX_WAITING);
    if (!slow) return;
    if (pauses % 50 === 10)
      log.warn({ destination: slow.destination, waiting: slow.waitingCount }, 'waiting for the outbox');
    await sleep(PAUSE_MS);
  }
}
