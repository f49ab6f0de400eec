/**
 * The table outbox_dead_letters: events that their broker refuses for ever, such as a message above its size limit. An operator
 * sends them again after the cause is fixed.
 *
 * Later events of the same key are published meanwhile. Consumers add up events in any order, so a missing event costs only its
 * own effect, and a held back event would cost one more.
 */
import { Kysely, PostgresDialect, type RawBuilder, sql } from 'kysely';
import pg from 'pg';
import type { EventMessage } from '../messaging/cloud-events.ts';
import { type DeadLetter, type DeadLetterSource, MAX_REDRIVEN } from '../messaging/dead-letter-source.ts';
import { describeError } from '../messaging/dead-letters.ts';
import { unpackParcel } from '../messaging/parcel.ts';
import type { Logger } from '../telemetry/log.ts';
import { boundOf, numberedId, numberOf } from './dead-letter-numbers.ts';
import { OUTBOX_CHANNEL } from './outbox.ts';
import type { Refused } from './publish-rows.ts';

/** Moves refused events out of the outbox, and deletes the rows of their batch. All of it is one statement. */
export const SET_ASIDE = `with removed as (
    delete from outbox where destination = $1 and id = any($2::bigint[]) returning id, event_count, keys, created_at
  )
  insert into outbox_dead_letters (destination, event_count, keys, events, error, created_at)
  select $1, case when r.key is null then removed.event_count else 1 end,
    case when r.key is null then removed.keys else array[r.key] end, r.events, r.error, removed.created_at
  from unnest($3::bigint[], $4::text[], $5::bytea[], $6::text[]) with ordinality as r (row_id, key, events, error, position)
  join removed on removed.id = r.row_id order by position`;

/** Returns the parameters of SET_ASIDE. */
export function setAsideValues(destination: string, rowIds: readonly string[], refused: readonly Refused[]) {
  return [
    destination,
    rowIds,
    refused.map(({ rowId }) => rowId),
    refused.map(({ key }) => key ?? null),
    refused.map(({ events }) => Buffer.from(events)),
    refused.map(({ error }) => describeError(error)),
  ];
}

/** The outbox of a service as a source of dead letters. */
export interface RefusedEventsSettings<DB> {
  db: Kysely<DB>;
  name: DeadLetterSource['name'];
  log: Logger;
}

interface LetterRow {
  id: bigint;
  destination: string;
  keys: string[];
  events: Buffer;
  error: string;
  failed_at: Date;
}

export function refusedEvents<DB>({ db, name, log }: RefusedEventsSettings<DB>): DeadLetterSource {
  const isEmpty = (reason: string | undefined) => reason !== undefined && reason !== REASON;
  return {
    name,
    async list({ reason, after, limit }) {
      if (isEmpty(reason)) return [];
      const { rows } = await sql<LetterRow>`
        select ${COLUMNS} from outbox_dead_letters
        where ${after?.failedAt ?? null}::timestamptz is null
          or (${FAILED_AT}, id) < (${after?.failedAt ?? null}, ${after ? boundOf(name, after) : null}::bigint)
        order by ${FAILED_AT} desc, id desc limit ${limit}`.execute(db);
      return rows.map((row) => letterOf(name, row));
    },
    async find(id) {
      const { rows } = await sql<LetterRow>`
        select ${COLUMNS} from outbox_dead_letters where id = ${numberOf(id)}`.execute(db);
      return rows.map((row) => letterOf(name, row))[0];
    },
    async count() {
      const { rows } = await sql<{ count: bigint }>`select count(*) from outbox_dead_letters`.execute(db);
      return Number(rows[0]?.count ?? 0);
    },
    async redrive({ id, reason }, announce) {
      if (isEmpty(reason) || !(await exists(db, id))) return 0;
      await announce?.();
      const { rows } = await sql<{ row_count: bigint }>`
        ${movedBack(id === undefined ? OLDEST : sql`id = ${numberOf(id)}`)}
        select count(*) as row_count from stored`.execute(db);
      const redriven = Number(rows[0]?.row_count ?? 0);
      log.info({ source: name, redriven }, 'dead letters sent back');
      return redriven;
    },
  };
}

/** True if this one is there, or any. */
async function exists<DB>(db: Kysely<DB>, id: string | undefined): Promise<boolean> {
  const { rows } = await sql`
    select from outbox_dead_letters where ${id === undefined} or id = ${id === undefined ? 0 : numberOf(id)} limit 1`.execute(
    db,
  );
  return rows.length > 0;
}

const REASON = 'REFUSED';
/** Times here are whole milliseconds, as in positions. */
const FAILED_AT = sql.raw("date_trunc('milliseconds', refused_at)");
const COLUMNS = sql`id, destination, keys, events, error, ${FAILED_AT} as failed_at`;

function letterOf(source: DeadLetterSource['name'], row: LetterRow): DeadLetter {
  const { id = '', type = '', headers = {}, payload = row.events } = firstEventOf(row.events) ?? {};
  return {
    id: numberedId(source, row.id),
    source,
    reason: REASON,
    error: row.error,
    eventId: id,
    eventType: type,
    key: row.keys[0] ?? '',
    failedAt: row.failed_at,
    headers: { ...headers, destination: row.destination },
    payload,
  };
}

/** A row that cannot be decoded is also refused. */
function firstEventOf(bytes: Buffer): Partial<EventMessage> | undefined {
  try {
    return unpackParcel({ bytes })[0];
  } catch {
    return undefined;
  }
}

const OLDEST = sql`id in (select id from outbox_dead_letters order by id limit ${sql.lit(MAX_REDRIVEN)})`;

/** Moves rows back into the outbox, oldest first, and wakes their relays. `stored` is then the table of the moved rows. */
const movedBack = (condition: RawBuilder<unknown>) => sql`
  with redriven as (
    delete from outbox_dead_letters where ${condition} returning id, destination, event_count, keys, events
  ), stored as (
    insert into outbox (destination, event_count, keys, events)
    select destination, event_count, keys, events from redriven order by id
    returning event_count, pg_notify('${sql.raw(OUTBOX_CHANNEL)}', destination)
  )`;

export interface RedriveOutboxSettings {
  /** The URL with the serving role. */
  url: string;
  destination: string;
}

/** Moves the dead letters of a destination back into its outbox, oldest first. Returns the number of their events. */
export async function redriveOutbox(
  { url, destination }: RedriveOutboxSettings,
  log: Logger,
): Promise<number> {
  const pool = new pg.Pool({ connectionString: url, application_name: 'redrive', max: 1 });
  const db = new Kysely({ dialect: new PostgresDialect({ pool }) });
  try {
    const { rows } = await sql<{ redriven: bigint }>`
      ${movedBack(sql`destination = ${destination}`)}
      select coalesce(sum(event_count), 0) as redriven from stored`.execute(db);
    const redriven = Number(rows[0]?.redriven ?? 0);
    log.info({ destination, redriven }, 'dead letters sent back');
    return redriven;
  } finally {
    await db.destroy();
  }
}
