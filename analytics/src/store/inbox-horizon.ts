/** Reads and moves the horizon of the inbox, and deletes the ids behind it. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';

/** Events with a smaller id are not counted. */
export async function readHorizon(trx: Transaction<Database>): Promise<string> {
  const { event_id } = await trx.selectFrom('inbox_horizon').select('event_id').executeTakeFirstOrThrow();
  return event_id;
}

export interface Horizon {
  eventId: string;
  newestEventId: string;
}

/**
 * Returns the horizon if it has not moved for `restMs` of the database's clock, and locks it. Undefined if it moved later, or if
 * another instance holds the lock.
 */
export async function lockHorizon(trx: Transaction<Database>, restMs: number): Promise<Horizon | undefined> {
  const { rows } = await sql<Horizon>`
    select event_id as "eventId", newest_event_id as "newestEventId" from inbox_horizon
    where moved_at <= now() - make_interval(secs => ${restMs / 1_000}) for update skip locked`.execute(trx);
  return rows[0];
}

/** Also stores the newest event of the inbox. */
export async function moveHorizon(trx: Transaction<Database>, eventId: string): Promise<void> {
  await sql`
    update inbox_horizon set event_id = ${eventId}, moved_at = now(),
      newest_event_id = coalesce((select max(event_id) from inbox), '')`.execute(trx);
}

/** Deletes up to `limit` ids between `after` and `before`, oldest first, and returns the last of them. */
export async function deleteIds(
  trx: Transaction<Database>,
  { after, before, limit }: { after: string; before: string; limit: number },
): Promise<string | undefined> {
  const { rows } = await sql<{ last: string | null }>`
    with deleted as (
      delete from inbox where event_id = any(array(
        select event_id from inbox where event_id > ${after} and event_id < ${before} order by event_id limit ${limit}
      ))
      returning event_id
    )
    select max(event_id) as last from deleted`.execute(trx);
  return rows[0]?.last ?? undefined;
}

/** An advisory lock, because it ends with the connection. The number is arbitrary. */
const REBUILD_LOCK = 7_303_015;

/** Runs `rebuild` while no purge moves the horizon. */
export async function withoutPurge<T>(db: Kysely<Database>, rebuild: () => Promise<T>): Promise<T> {
  return db.connection().execute(async (connection) => {
    await sql`select pg_advisory_lock(${sql.lit(REBUILD_LOCK)})`.execute(connection);
    try {
      return await rebuild();
    } finally {
      await sql`select pg_advisory_unlock(${sql.lit(REBUILD_LOCK)})`.execute(connection);
    }
  });
}

/** True until the end of the transaction, or false if a rebuild is running. */
export async function preventRebuild(trx: Transaction<Database>): Promise<boolean> {
  const { rows } = await sql<{ taken: boolean }>`
    select pg_try_advisory_xact_lock_shared(${sql.lit(REBUILD_LOCK)}) as taken`.execute(trx);
  return rows[0]?.taken ?? false;
}
