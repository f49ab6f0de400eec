/** What happened to a payment, as Kafka and RabbitMQ are told. Encoded once for both. */

import { type OutgoingEvent, packParcel } from '@payflowx/chassis';
import type { OutboxRow } from '@payflowx/chassis/postgres';
import { MovementKind } from '@payflowx/proto/authorization';
import { PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import { type Change, type EventType, isPayerUnknown, type Movement } from '../domain/payment.ts';
import { withoutDecision } from './payment-message.ts';

/** The outbox's name for the Kafka topic. */
export const EVENTS_DESTINATION = 'payment-events';
/** The outbox's name for the RabbitMQ queue. */
export const NOTIFICATIONS_DESTINATION = 'payment-notifications';

/** Who announces, as CloudEvents names it. */
const SOURCE = '/payflowx/payment';

const TYPE_CODES = {
  'payment.initiated': PaymentEventType.INITIATED,
  'payment.authorized': PaymentEventType.AUTHORIZED,
  'payment.captured': PaymentEventType.CAPTURED,
  'payment.completed': PaymentEventType.COMPLETED,
  'payment.failed': PaymentEventType.FAILED,
  'payment.cancelled': PaymentEventType.CANCELLED,
  'payment.expired': PaymentEventType.EXPIRED,
  'payment.refunded': PaymentEventType.REFUNDED,
} as const satisfies Record<EventType, PaymentEventType>;

const MOVEMENT_CODES = {
  HOLD: MovementKind.HOLD,
  RELEASE: MovementKind.RELEASE,
  TRANSFER: MovementKind.TRANSFER,
} as const satisfies Record<Movement['kind'], MovementKind>;

/** The rows that announce a change: one for everybody, and one for those who are notified, where there is somebody. */
export function toOutboxRows(change: Change, id: string): OutboxRow[] {
  const event = toOutgoingEvent(change, id);
  const rows = [{ destination: EVENTS_DESTINATION, event }];
  if (isNotified(change)) rows.push({ destination: NOTIFICATIONS_DESTINATION, event });
  return rows;
}

/** The event that announces a change as a parcel of its own, for a statement that puts several together. */
export function toParcel(change: Change, id: string): Uint8Array {
  return packParcel([toOutgoingEvent(change, id)]).bytes;
}

function toOutgoingEvent(change: Change, id: string): OutgoingEvent {
  const { payment, event } = change;
  return {
    id,
    type: event.type,
    source: SOURCE,
    time: event.occurredAt,
    subject: payment.id,
    traceparent: event.traceparent,
    key: payment.id,
    payload: PaymentEvent.encode(toEvent(change, id)).finish(),
  };
}

/** Outcomes are notified; that a payment began is not, nor one whose payer is unknown: there would be nobody to tell. */
export function isNotified({ payment, event }: Change): boolean {
  return event.type !== 'payment.initiated' && !isPayerUnknown(payment);
}

/**
 * The decision is left out. Nobody who consumes events needs it, its figures are the payer's own matter, and it has no bound: a broker
 * that refuses a message as too large would refuse it for ever, and everything behind it would wait. The payment keeps it.
 */
function toEvent({ payment, event }: Change, id: string): PaymentEvent {
  return {
    id,
    type: TYPE_CODES[event.type],
    occurredAt: event.occurredAt,
    payment: withoutDecision(payment),
    movements: event.movements.map((movement) => ({ ...movement, kind: MOVEMENT_CODES[movement.kind] })),
    // Before the decision, who owns the account is the caller's claim: nothing to announce.
    fromOwnerId: (event.type !== 'payment.initiated' && payment.fromOwnerId) || '',
    toOwnerId: payment.toOwnerId ?? '',
    refundId: event.refundId ?? '',
  };
}
