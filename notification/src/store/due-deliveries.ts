/** The queue of webhook deliveries: which are due, and the results of attempts. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database, DisabledReason, EndpointRow, EventRow } from './database.ts';
import type { WokenEndpoint } from './record-events.ts';

export interface DueDelivery {
  deliveryId: string;
  /** Attempts since the delivery was last requested. */
  tries: number;
  /** All attempts so far. */
  attempts: number;
  /** Undefined if the event is no longer kept. */
  event: EventRow | undefined;
  /** The trace of the request that caused the event. Empty: not recorded. */
  traceparent: string;
}

export interface DueEndpoint {
  endpoint: EndpointRow;
  deliveries: DueDelivery[];
}

/** Returns the given endpoints, each with at most `limit` due deliveries, those that wait longest first. */
export async function findDue(
  db: Kysely<Database>,
  endpointIds: readonly string[],
  limit: number,
): Promise<Map<string, DueEndpoint>> {
  const { rows } = await sql<{ endpoint: EndpointRow; delivery_id: string | null; tries: number } & EventRow>`
    select w.*, w.id as endpoint_id, d.id as delivery_id, d.tries, d.attempt_count, e.id as event_id, e.type, e.payment_id, e.sender_account_id,
      e.receiver_account_id, e.sender_owner_id, e.receiver_owner_id, e.created_at as happened_at, e.content, e.traceparent
    from unnest(${endpointIds}::text[]) as asked (id) join webhook_endpoints as w on w.id = asked.id
      left join lateral (
        select id, tries, attempt_count, event_id, next_attempt_at from webhook_deliveries
        where endpoint_id = w.id and state = 'pending' and next_attempt_at <= now()
        order by next_attempt_at limit ${limit}
      ) as d on true
      left join events as e on e.id = d.event_id
    order by d.next_attempt_at`.execute(db);
  const found = new Map<string, DueEndpoint>();
  for (const row of rows as unknown as DueRow[]) {
    const due = found.get(row.endpoint_id) ?? { endpoint: toEndpoint(row), deliveries: [] };
    found.set(row.endpoint_id, due);
    if (row.delivery_id !== null)
      due.deliveries.push({
        deliveryId: row.delivery_id,
        tries: row.tries,
        attempts: row.attempt_count,
        event: toEvent(row),
        traceparent: row.traceparent ?? '',
      });
  }
  return found;
}

type DueRow = Omit<EndpointRow, 'id'> & {
  endpoint_id: string;
  delivery_id: string | null;
  tries: number;
  attempt_count: number;
  event_id: string | null;
  happened_at: Date;
  traceparent: string | null;
} & Omit<EventRow, 'id' | 'created_at'>;

function toEndpoint(row: DueRow): EndpointRow {
  return {
    id: row.endpoint_id,
    owner_id: row.owner_id,
    sees_all: row.sees_all,
    url: row.url,
    event_types: row.event_types,
    description: row.description,
    state: row.state,
    disabled_reason: row.disabled_reason,
    secret: row.secret,
    previous_secret: row.previous_secret,
    previous_secret_until: row.previous_secret_until,
    failures: row.failures,
    failing_since: row.failing_since,
    paused_until: row.paused_until,
    created_at: row.created_at,
    updated_at: row.updated_at,
  };
}

function toEvent(row: DueRow): EventRow | undefined {
  if (row.event_id === null) return undefined;
  return {
    id: row.event_id,
    type: row.type,
    payment_id: row.payment_id,
    sender_account_id: row.sender_account_id,
    receiver_account_id: row.receiver_account_id,
    sender_owner_id: row.sender_owner_id,
    receiver_owner_id: row.receiver_owner_id,
    created_at: row.happened_at,
    content: row.content,
  };
}

/** The result of one attempt. */
export interface AttemptResult {
  delivery_id: string;
  endpoint_id: string;
  at: Date;
  status: number | undefined;
  latency_ms: number;
  response: string;
  error: string;
  state: 'pending' | 'delivered' | 'failed';
  next_attempt_at: Date | undefined;
}

/**
 * Stores attempts and the states of their deliveries. A delivery that is no longer pending keeps its state: another instance has
 * delivered it. At most one result for each delivery.
 */
export async function saveAttempts(
  trx: Transaction<Database>,
  results: readonly AttemptResult[],
): Promise<void> {
  // By id, so that two batches cannot deadlock.
  const sorted = results.toSorted((a, b) => (a.delivery_id < b.delivery_id ? -1 : 1));
  await sql`
    with locked as (
      select d.id from webhook_deliveries as d join ${unnest(sorted, { delivery_id: 'text' })} as r on r.delivery_id = d.id
      order by d.id for update of d
    ), attempted as (
      update webhook_deliveries as d set
        attempt_count = d.attempt_count + 1, tries = d.tries + 1,
        state = case when d.state = 'pending' then r.state else d.state end,
        next_attempt_at = case when d.state = 'pending' then r.next_attempt_at end
      from ${unnest(sorted, RESULT_COLUMNS)} as r join locked on locked.id = r.delivery_id
      where d.id = r.delivery_id
      returning d.id, d.attempt_count, r.at, r.status, r.latency_ms, r.response, r.error
    )
    insert into webhook_attempts (delivery_id, number, at, status, latency_ms, response, error)
    select id, attempt_count, at, status, latency_ms, response, error from attempted`.execute(trx);
}

const RESULT_COLUMNS = {
  delivery_id: 'text',
  at: 'timestamptz',
  status: 'int4',
  latency_ms: 'int4',
  response: 'text',
  error: 'text',
  state: 'text',
  next_attempt_at: 'timestamptz',
} as const;

/** The circuit of an endpoint after further attempts. */
export interface EndpointHealth {
  id: string;
  failures: number;
  failing_since: Date | undefined;
  paused_until: Date | undefined;
}

export async function saveHealth(
  trx: Transaction<Database>,
  endpoints: readonly EndpointHealth[],
): Promise<void> {
  if (endpoints.length === 0) return;
  const sorted = endpoints.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const columns = {
    id: 'text',
    failures: 'int4',
    failing_since: 'timestamptz',
    paused_until: 'timestamptz',
  } as const;
  await sql`
    with locked as (
      select w.id from webhook_endpoints as w join ${unnest(sorted, { id: 'text' })} as r on r.id = w.id order by w.id for update of w
    )
    update webhook_endpoints as w set
      failures = r.failures, failing_since = r.failing_since, paused_until = r.paused_until
    from ${unnest(sorted, columns)} as r join locked on locked.id = r.id
    where w.id = r.id`.execute(trx);
}

/** Disables an endpoint, unless it is no longer enabled, or has another URL by now. Returns it as it is then. */
export async function disableEndpoint(
  trx: Transaction<Database>,
  { id, url }: Pick<EndpointRow, 'id' | 'url'>,
  reason: DisabledReason,
): Promise<EndpointRow | undefined> {
  return trx
    .updateTable('webhook_endpoints')
    .set({ state: 'disabled', disabled_reason: reason, updated_at: new Date() })
    .where('id', '=', id)
    .where('url', '=', url)
    .where('state', '=', 'enabled')
    .returningAll()
    .executeTakeFirst();
}

/** The number of the lock is arbitrary. */
const SWEEP_LOCK = 7_303_104;
const MAX_SWEPT = 1_000;

/**
 * Fails the pending deliveries of endpoints that are no longer enabled, and returns the enabled endpoints with a delivery that has been due
 * for a second. Returns none if another instance is sweeping. One row of the index is read for each endpoint with pending deliveries.
 */
export async function sweepDeliveries(trx: Transaction<Database>): Promise<WokenEndpoint[]> {
  const { rows } = await sql<{ endpoint_id: string; failures: number; is_enabled: boolean }>`
    with recursive pending as (
      (select endpoint_id, next_attempt_at from webhook_deliveries where state = 'pending' order by endpoint_id, next_attempt_at limit 1)
      union all
      select n.endpoint_id, n.next_attempt_at from pending as p cross join lateral (
        select endpoint_id, next_attempt_at from webhook_deliveries where state = 'pending' and endpoint_id > p.endpoint_id
        order by endpoint_id, next_attempt_at limit 1
      ) as n
    )
    select p.endpoint_id, coalesce(w.failures, 0) as failures, coalesce(w.state, 'deleted') = 'enabled' as is_enabled
    from (select pg_try_advisory_xact_lock(${SWEEP_LOCK}) as is_mine) as l
      join pending as p on l.is_mine left join webhook_endpoints as w on w.id = p.endpoint_id
    where coalesce(w.state, 'deleted') <> 'enabled'
      or (p.next_attempt_at <= now() - interval '1 second' and (w.paused_until is null or w.paused_until <= now()))`.execute(
    trx,
  );
  const ended = rows.filter(({ is_enabled }) => !is_enabled).map(({ endpoint_id }) => endpoint_id);
  if (ended.length > 0)
    await sql`
      update webhook_deliveries set state = 'failed', next_attempt_at = null where id in (
        select id from webhook_deliveries where state = 'pending' and endpoint_id = any(${ended}) order by id limit ${MAX_SWEPT} for update skip locked
      )`.execute(trx);
  return rows
    .filter(({ is_enabled }) => is_enabled)
    .map(({ endpoint_id, failures }) => ({ endpointId: endpoint_id, failures }));
}
