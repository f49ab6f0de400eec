/** Reads deliveries with their attempts, and starts them again. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { AttemptRow, Database, DeliveryRow, DeliveryState } from './database.ts';
import { firstIdAt, ID_SLACK_MS } from './event-lists.ts';

const COLUMNS = [
  'id',
  'endpoint_id',
  'owner_id',
  'event_id',
  'state',
  'tries',
  'attempt_count',
  'next_attempt_at',
  'created_at',
] as const satisfies (keyof DeliveryRow)[];

/** The last attempts of a delivery that readers get. */
const SHOWN_ATTEMPTS = 20;

export interface DeliveryWithAttempts extends DeliveryRow {
  /** Oldest first. */
  attempts: Omit<AttemptRow, 'delivery_id' | 'number'>[];
}

export interface DeliveryFilter {
  /** Undefined: the deliveries of all users. */
  ownerId: string | undefined;
  endpointId: string | undefined;
  eventId: string | undefined;
  state: DeliveryState | undefined;
  beforeId: string | undefined;
}

/** Newest first. */
export async function selectDeliveries(
  db: Kysely<Database>,
  { ownerId, endpointId, eventId, state, beforeId }: DeliveryFilter,
  limit: number,
): Promise<DeliveryWithAttempts[]> {
  const rows = await withAttempts(db)
    .$if(ownerId !== undefined, (query) => query.where('owner_id', '=', ownerId as string))
    .$if(endpointId !== undefined, (query) => query.where('endpoint_id', '=', endpointId as string))
    .$if(eventId !== undefined, (query) => query.where('event_id', '=', eventId as string))
    .$if(state !== undefined, (query) => query.where('state', '=', state as DeliveryState))
    .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId as string))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toDelivery);
}

export async function findDelivery(
  db: Kysely<Database>,
  id: string,
): Promise<DeliveryWithAttempts | undefined> {
  const row = await withAttempts(db).where('id', '=', id).executeTakeFirst();
  return row && toDelivery(row);
}

/** An attempt in JSON: one statement reads a delivery and its attempts, so that they fit together. */
type StoredAttempt = Pick<AttemptRow, 'status' | 'latency_ms' | 'response' | 'error'> & { at_ms: number };

function withAttempts(db: Kysely<Database>) {
  return db.selectFrom('webhook_deliveries as d').select([
    ...COLUMNS,
    sql<StoredAttempt[] | null>`(
      select jsonb_agg(jsonb_build_object('at_ms', (extract(epoch from a.at) * 1000)::int8, 'status', a.status,
        'latency_ms', a.latency_ms, 'response', a.response, 'error', a.error) order by a.number)
      from webhook_attempts as a where a.delivery_id = d.id and a.number > d.attempt_count - ${SHOWN_ATTEMPTS})`.as(
      'attempts',
    ),
  ]);
}

function toDelivery({
  attempts,
  ...row
}: DeliveryRow & { attempts: StoredAttempt[] | null }): DeliveryWithAttempts {
  return {
    ...row,
    attempts: (attempts ?? []).map(({ at_ms, ...attempt }) => ({ ...attempt, at: new Date(at_ms) })),
  };
}

/** Makes a delivery pending again, from the start of the retry schedule. */
export async function restartDelivery(trx: Transaction<Database>, id: string): Promise<void> {
  await sql`
    update webhook_deliveries set state = 'pending', tries = 0, next_attempt_at = now() where id = ${id}`.execute(
    trx,
  );
}

/** Does the same for failed deliveries of an endpoint whose events are still kept, oldest first. Returns their number. The index is read from that time on. */
export async function restartFailed(
  trx: Transaction<Database>,
  { endpointId, createdAfter, limit }: { endpointId: string; createdAfter: Date; limit: number },
): Promise<number> {
  const { numAffectedRows } = await sql`
    update webhook_deliveries set state = 'pending', tries = 0, next_attempt_at = now() where id in (
      select d.id from webhook_deliveries as d
      where d.endpoint_id = ${endpointId} and d.state = 'failed' and d.created_at >= ${createdAfter}
        and d.id >= ${firstIdAt('whd', createdAfter, -ID_SLACK_MS)} and exists (select from events as e where e.id = d.event_id)
      order by d.id limit ${limit} for update of d
    )`.execute(trx);
  return Number(numAffectedRows ?? 0n);
}

/** Stores a delivery of an event that this endpoint alone gets, unless the event was delivered to it already. */
export async function insertDelivery(trx: Transaction<Database>, row: DeliveryRow): Promise<void> {
  await trx
    .insertInto('webhook_deliveries')
    .values(row)
    .onConflict((conflict) => conflict.columns(['endpoint_id', 'event_id']).doNothing())
    .execute();
}
