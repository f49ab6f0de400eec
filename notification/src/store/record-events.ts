/**
 * Stores events in one statement, with all that follows from them. These are the notifications of both sides, the events of the log, and
 * the deliveries to webhook endpoints.
 */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql } from 'kysely';
import type { Database, EventRow, NewNotificationRow, TracedRow } from './database.ts';

/** An endpoint with a delivery that is due now. */
export interface WokenEndpoint {
  endpointId: string;
  /** Failed attempts in a row. */
  failures: number;
}

/** Transactions take this lock before they assign positions, and hold it until they commit. The number is arbitrary. */
const POSITIONS_LOCK = 7_303_103;

/**
 * Duplicates of a redelivered message are skipped. All rows are written under one lock, so two statements cannot deadlock, and positions
 * become visible in their order. Events that are given in the order of their payment keep it.
 *
 * `nextval` is computed for the rows of the join, and so under the lock.
 */
export async function recordEvents(
  db: Kysely<Database>,
  {
    notifications,
    events,
  }: { notifications: readonly NewNotificationRow[]; events: readonly (EventRow & Partial<TracedRow>)[] },
): Promise<WokenEndpoint[]> {
  const traced = events.map((event) => ({ traceparent: '', ...event }));
  const { rows } = await sql<{ endpoint_id: string; failures: number }>`
    with locked as materialized (
      select pg_advisory_xact_lock(${POSITIONS_LOCK})
    ), notified as (
      insert into notifications (id, event_id, side, recipient_id, account_id, payment_id, event_type, channel, title, body, amount_minor,
        currency, created_at, has_mail)
      select id, event_id, side, recipient_id, account_id, payment_id, event_type, channel, title, body, amount_minor, currency, created_at,
        has_mail
      from ${unnest(notifications, NOTIFICATION_COLUMNS)} as n cross join locked order by n.ordinality
      on conflict (event_id, side) do nothing
    ), added as (
      insert into events (id, position, type, payment_id, sender_account_id, receiver_account_id, sender_owner_id, receiver_owner_id,
        created_at, content, traceparent)
      select id, nextval('event_positions'), type, payment_id, sender_account_id, receiver_account_id, sender_owner_id, receiver_owner_id,
        created_at, content, traceparent
      from ${unnest(traced, EVENT_COLUMNS)} as e cross join locked order by e.ordinality
      on conflict (id) do nothing
      returning id, type, sender_owner_id, receiver_owner_id
    ), matched as (
      select added.id as event_id, w.id as endpoint_id, w.owner_id, w.failures, w.paused_until, w.event_types, added.type
      from added join webhook_endpoints as w on w.owner_id in (added.sender_owner_id, added.receiver_owner_id)
      where w.state = 'enabled' and not w.sees_all
      union all
      select added.id, w.id, w.owner_id, w.failures, w.paused_until, w.event_types, added.type
      from added cross join webhook_endpoints as w
      where w.sees_all and w.state = 'enabled'
    ), due as (
      insert into webhook_deliveries (id, endpoint_id, owner_id, event_id, next_attempt_at, created_at)
      select 'whd_' || uuidv7(), endpoint_id, owner_id, event_id, now(), now() from matched
      where event_types && array['*', type] and type <> 'webhook_endpoint.test'
      on conflict (endpoint_id, event_id) do nothing
      returning endpoint_id
    )
    select distinct matched.endpoint_id, matched.failures from due join matched using (endpoint_id)
    where matched.paused_until is null or matched.paused_until <= now()`.execute(db);
  return rows.map(({ endpoint_id, failures }) => ({ endpointId: endpoint_id, failures }));
}

const NOTIFICATION_COLUMNS = {
  id: 'text',
  event_id: 'text',
  side: 'text',
  recipient_id: 'text',
  account_id: 'text',
  payment_id: 'text',
  event_type: 'text',
  channel: 'text',
  title: 'text',
  body: 'text',
  amount_minor: 'int8',
  currency: 'text',
  created_at: 'timestamptz',
  has_mail: 'bool',
} as const;

const EVENT_COLUMNS = {
  id: 'text',
  type: 'text',
  payment_id: 'text',
  sender_account_id: 'text',
  receiver_account_id: 'text',
  sender_owner_id: 'text',
  receiver_owner_id: 'text',
  created_at: 'timestamptz',
  content: 'bytea',
  traceparent: 'text',
} as const;
