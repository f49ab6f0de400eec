/** Stores the outcomes of many payments in one statement: the payments, and their events in the outbox. */
import { outboxFrom, unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql } from 'kysely';
import type { Change } from '../domain/payment.ts';
import { EVENTS_DESTINATION, NOTIFICATIONS_DESTINATION, toParcels } from '../messages/payment-event.ts';
import type { Database } from './database.ts';

export interface SettledPayment {
  change: Change;
  eventId: string;
}

/**
 * Stores payments after authorization's decision, unless another step was stored before. Returns the ids of the stored ones.
 *
 * The check uses the version and not the state. For a state, the planner would use recovery's index with all its dead entries.
 */
export async function saveSettled(
  db: Kysely<Database>,
  payments: readonly SettledPayment[],
): Promise<Set<string>> {
  // All statements lock payments in id order, so two flushes with common payments cannot deadlock.
  const sorted = payments.toSorted((a, b) => (a.change.payment.id < b.change.payment.id ? -1 : 1));
  const { rows: moved } = await sql<{ key: string }>`
    with moved as (
      update payments as p set
        state = d.state, from_owner_id = d.from_owner_id, to_owner_id = d.to_owner_id,
        captured_minor = d.captured_minor, failure_code = d.failure_code, failure_message = d.failure_message,
        decision = d.decision, hold_expires_at = d.hold_expires_at, version = d.version, updated_at = d.updated_at,
        decided_event_id = d.event_id, decided_at = d.updated_at
      from ${unnest(sorted.map(toRow), COLUMNS)} as d
      where p.id = d.key and p.version = d.version - 1
      returning d.key, d.event, d.notice, d.ordinality
    ), announced as (
      ${outboxFrom(EVENTS_DESTINATION, sql`moved`)}
    ), notified as (
      ${outboxFrom(NOTIFICATIONS_DESTINATION, sql`(select key, notice as event, ordinality from moved where notice is not null) as n`)}
    )
    select key from moved`.execute(db);
  return new Set(moved.map(({ key }) => key));
}

const COLUMNS = {
  /** The payment's id, which is also the key of its event. */
  key: 'text',
  state: 'text',
  from_owner_id: 'text',
  to_owner_id: 'text',
  captured_minor: 'int8',
  failure_code: 'text',
  failure_message: 'text',
  decision: 'bytea',
  hold_expires_at: 'timestamptz',
  version: 'int8',
  updated_at: 'timestamptz',
  event_id: 'text',
  event: 'bytea',
  notice: 'bytea',
} as const;

function toRow({ change, eventId }: SettledPayment) {
  const { payment } = change;
  return {
    key: payment.id,
    state: payment.state,
    from_owner_id: payment.fromOwnerId,
    to_owner_id: payment.toOwnerId,
    captured_minor: payment.capturedMinor,
    failure_code: payment.failure?.code,
    failure_message: payment.failure?.message,
    decision: payment.decision,
    hold_expires_at: payment.holdExpiresAt,
    version: payment.version,
    updated_at: payment.updatedAt,
    event_id: eventId,
    ...toParcels(change, eventId),
  };
}
