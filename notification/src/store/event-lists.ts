/** Lists and reads events. */
import { type IdPrefix, idAt } from '@payflowx/chassis';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database, EventRow } from './database.ts';

const COLUMNS = [
  'id',
  'type',
  'payment_id',
  'sender_account_id',
  'receiver_account_id',
  'sender_owner_id',
  'receiver_owner_id',
  'created_at',
  'content',
] as const satisfies (keyof EventRow)[];

const SELECTED = sql.join(COLUMNS.map((column) => sql.ref(`e.${column}`)));

export interface EventFilter {
  /** Undefined: the events of all users. */
  readerId: string | undefined;
  /** Empty: all types. */
  types: readonly string[];
  paymentId: string | undefined;
  accountId: string | undefined;
  createdAfter: Date | undefined;
  createdBefore: Date | undefined;
  /** Only events older than this one. */
  beforeId: string | undefined;
}

/** The time in an id and the time of its event differ by far less than this. */
export const ID_SLACK_MS = 3_600_000;

/**
 * Newest first. Both ends of a payment have an index. Each index is read from its end, at most `limit` matching events, and the two results
 * are merged.
 */
export async function selectEvents(
  db: Kysely<Database>,
  filter: EventFilter,
  limit: number,
): Promise<EventRow[]> {
  const rest = sql.join(conditionsOf(filter), sql` and `);
  const branch = (condition: RawBuilder<unknown>) => sql`
    (select e.id from events as e where ${condition} and ${rest} order by e.id desc limit ${limit})`;
  const ids = sql.join(endsOf(filter).map(branch), sql` union `);
  const { rows } = await sql<EventRow>`
    select ${SELECTED} from events as e where e.id in (select id from (${ids}) as found order by id desc limit ${limit})
    order by e.id desc`.execute(db);
  return rows;
}

/** The conditions that an index serves. An event matches if one of them holds. */
function endsOf({ readerId, accountId, paymentId }: EventFilter): RawBuilder<unknown>[] {
  if (paymentId !== undefined) return [sql`e.payment_id = ${paymentId}`];
  if (accountId !== undefined)
    return [sql`e.sender_account_id = ${accountId}`, sql`e.receiver_account_id = ${accountId}`];
  if (readerId !== undefined)
    return [sql`e.sender_owner_id = ${readerId}`, sql`e.receiver_owner_id = ${readerId}`];
  return [sql`true`];
}

function conditionsOf({
  readerId,
  types,
  accountId,
  createdAfter,
  createdBefore,
  beforeId,
}: EventFilter): RawBuilder<unknown>[] {
  const conditions = [sql`true`];
  if (readerId !== undefined) conditions.push(sql`${readerId} in (e.sender_owner_id, e.receiver_owner_id)`);
  if (accountId !== undefined)
    conditions.push(sql`${accountId} in (e.sender_account_id, e.receiver_account_id)`);
  if (types.length > 0) conditions.push(sql`e.type = any(${types})`);
  if (beforeId !== undefined) conditions.push(sql`e.id < ${beforeId}`);
  // The bounds of the id let the index skip other times.
  if (createdAfter)
    conditions.push(
      sql`e.created_at >= ${createdAfter} and e.id >= ${firstIdAt('evt', createdAfter, -ID_SLACK_MS)}`,
    );
  if (createdBefore)
    conditions.push(
      sql`e.created_at < ${createdBefore} and e.id < ${firstIdAt('evt', createdBefore, ID_SLACK_MS)}`,
    );
  return conditions;
}

/** Sorts before all ids of that time. */
export function firstIdAt(prefix: IdPrefix, time: Date, shiftMs = 0): string {
  const id = idAt(prefix, new Date(Math.max(0, time.getTime() + shiftMs)));
  return `${id.slice(0, `${prefix}_01234567-89ab`.length)}-7`;
}

export async function findEvent(
  db: Kysely<Database>,
  id: string,
): Promise<(EventRow & { position: bigint }) | undefined> {
  return db
    .selectFrom('events')
    .select([...COLUMNS, 'position'])
    .where('id', '=', id)
    .executeTakeFirst();
}

/** The position of the newest event; 1 if there is none. */
export async function newestPosition(db: Kysely<Database>): Promise<bigint> {
  const { rows } = await sql<{ position: bigint }>`
    select coalesce((select position from events order by position desc limit 1), 1) as position`.execute(db);
  return rows[0]?.position ?? 1n;
}

export interface EventsAfter {
  events: EventRow[];
  /** Of the last one that was read. */
  position: bigint;
  /** There may be events after it. */
  isMore: boolean;
}

/**
 * Reads at most `visited` events after a position, in the order in which they were stored. Returns those that the reader may see, and the
 * position of the last one that was read.
 */
export async function selectAfter(
  db: Kysely<Database>,
  { position, readerId, types }: { position: bigint; readerId: string | undefined; types: readonly string[] },
  { limit, visited }: { limit: number; visited: number },
): Promise<EventsAfter> {
  const { rows } = await sql<EventRow & { position: bigint; is_seen: boolean }>`
    select id, type, payment_id, sender_account_id, receiver_account_id, sender_owner_id, receiver_owner_id, created_at,
      case when is_seen then content end as content, position, is_seen
    from (select * from events where position > ${position} order by position limit ${visited}) as e
      cross join lateral (select (${readerId === undefined} or coalesce(${readerId ?? ''} in (sender_owner_id, receiver_owner_id), false))
        and (${types.length === 0} or type = any(${types})) as is_seen) as s
    order by position`.execute(db);
  const events: EventRow[] = [];
  let last = position;
  for (const { position: at, is_seen, ...event } of rows) {
    if (is_seen && events.length === limit) break;
    if (is_seen) events.push(event);
    last = at;
  }
  return { events, position: last, isMore: rows.length === visited };
}
