/**
 * Deletes the ids of old events from the inbox, so that it holds about a week of events. Events from before are no longer counted:
 * a consumer group that lost its offsets reads the whole topic again, and no id would show that they were counted.
 */
import { type Logger, type Repetition, repeat } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { firstIdAt, timeOf } from '../domain/event-id.ts';
import type { Database } from '../store/database.ts';
import { deleteIds, type Horizon, lockHorizon, moveHorizon, preventRebuild } from '../store/inbox-horizon.ts';

export interface PurgeDeps {
  db: Kysely<Database>;
  /** Messages that the consumer group has not read. */
  lag(): Promise<bigint>;
  now(): Date;
  log: Logger;
}

/** Events that are older than the newest one by more than this are not counted any more. */
const RETENTION_MS = 7 * 24 * 60 * 60 * 1_000;
const ROUND_INTERVAL_MS = 60 * 60 * 1_000;
/**
 * The horizon rests for this time between two moves. A batch that read the horizon before its last move has ended by then, so no
 * id is deleted that such a batch still needs.
 */
export const REST_MS = 30 * 60 * 1_000;
/** With a longer lag, the unread events may be older than the newest one by more than the retention. */
const MAX_LAG = 10_000n;
const IDS_PER_TRANSACTION = 5_000;

export function startInboxPurge(deps: PurgeDeps): Repetition {
  const round = () => purgeInbox(deps, REST_MS).then(() => false);
  return repeat('the purge of the inbox', ROUND_INTERVAL_MS, round, deps.log);
}

/**
 * Deletes the ids before the horizon, then moves the horizon. The next one follows from the newest event at the last move, not
 * from the newest now: after an outage, some partitions may be read before others.
 */
export async function purgeInbox(deps: PurgeDeps, restMs: number): Promise<void> {
  if ((await deps.lag()) > MAX_LAG) return;
  let last: string | undefined = '';
  while (last !== undefined) {
    const after: string = last;
    last = await inTransaction(deps.db, (trx) => deleteOrMove(trx, { after, restMs, now: deps.now() }));
  }
}

/** Returns the last deleted id. Undefined if nothing is left to delete, and the horizon was moved. */
async function deleteOrMove(
  trx: Transaction<Database>,
  { after, restMs, now }: { after: string; restMs: number; now: Date },
): Promise<string | undefined> {
  if (!(await preventRebuild(trx))) return undefined;
  const horizon = await lockHorizon(trx, restMs);
  if (!horizon) return undefined;
  const last = await deleteIds(trx, { after, before: horizon.eventId, limit: IDS_PER_TRANSACTION });
  if (last === undefined) await moveHorizon(trx, nextHorizon(horizon, now));
  return last;
}

function nextHorizon({ eventId, newestEventId }: Horizon, now: Date) {
  if (newestEventId === '') return eventId;
  // An id that is no UUIDv7, or from a clock that is ahead, must not move the horizon past the present.
  const next = firstIdAt(Math.min(timeOf(newestEventId), now.getTime()) - RETENTION_MS);
  return next > eventId ? next : eventId;
}
