/**
 * Deletes events that are no longer kept, their deliveries, and endpoints that were deleted as long ago. Ids sort by time, so each round reads
 * only the old end of an index.
 */
import { type Logger, type Repetition, repeat } from '@payflowx/chassis';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../store/database.ts';
import { firstIdAt } from '../store/event-lists.ts';

export interface PurgeDeps {
  db: Kysely<Database>;
  log: Logger;
  now(): Date;
  /** Milliseconds that events are kept. */
  retentionMs: number;
}

const ROUND_INTERVAL_MS = 60_000;
/** Rows that one statement deletes. */
const MAX_ROWS = 2_000;

export function startPurge(deps: PurgeDeps): Repetition {
  return repeat('the purge of events', ROUND_INTERVAL_MS, () => purgeEvents(deps), deps.log);
}

/** Returns true if there may be more to delete. The retry schedule is far shorter than the shortest retention. */
export async function purgeEvents({ db, now, retentionMs }: PurgeDeps): Promise<boolean> {
  const before = new Date(now().getTime() - retentionMs);
  const eventId = firstIdAt('evt', before);
  const deliveryId = firstIdAt('whd', before);
  const [events, deliveries] = [
    await sql`delete from events where id in (
      select id from events where id < ${eventId} order by id limit ${MAX_ROWS})`.execute(db),
    await sql`delete from webhook_deliveries where id in (
      select id from webhook_deliveries where id < ${deliveryId} order by id limit ${MAX_ROWS} for update skip locked)`.execute(
      db,
    ),
  ];
  await sql`delete from webhook_endpoints as w where id in (
    select id from webhook_endpoints where state = 'deleted' and updated_at < ${before} order by id limit ${MAX_ROWS})`.execute(
    db,
  );
  return [events, deliveries].some(({ numAffectedRows }) => numAffectedRows === BigInt(MAX_ROWS));
}
