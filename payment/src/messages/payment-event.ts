/** Encodes the events of a payment, once for both Kafka and RabbitMQ. */

import { type OutgoingEvent, packParcel } from '@payflowx/chassis';
import type { OutboxRow } from '@payflowx/chassis/postgres';
import { MovementKind } from '@payflowx/proto/authorization';
import { PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import { type Change, type EventType, isPayerUnknown, type Movement } from '../domain/payment.ts';
import { withoutDecision } from './payment-message.ts';

/** The destination name of the Kafka topic in the outbox. */
export const EVENTS_DESTINATION = 'payment-events';
/** The destination name of the RabbitMQ queue in the outbox. */
export const NOTIFICATIONS_DESTINATION = 'payment-notifications';
export const DESTINATIONS = [EVENTS_DESTINATION, NOTIFICATIONS_DESTINATION] as const;

/** The CloudEvents source of all events. */
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

/** Returns the outbox rows of a change: one for Kafka, and one for RabbitMQ if users are notified of it. */
export function toOutboxRows(change: Change, id: string): OutboxRow[] {
  const event = toOutgoingEvent(change, id);
  const rows = [{ destination: EVENTS_DESTINATION, event }];
  if (isNotified(change)) rows.push({ destination: NOTIFICATIONS_DESTINATION, event });
  return rows;
}

/** Encodes the event of a change as a parcel with one event, for a statement that stores several parcels. */
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

/**
 * True if users are notified of the change. They are not notified of payment.initiated. A payment with an unknown payer has no
 * recipient.
 */
export function isNotified({ payment, event }: Change): boolean {
  return event.type !== 'payment.initiated' && !isPayerUnknown(payment);
}

/**
 * The decision is left out, because no consumer needs it and only the payer may see its figures. Its size also has no bound. A
 * broker would refuse a message that is too large on every attempt, and all later messages would wait behind it. The payment
 * keeps the decision.
 */
function toEvent({ payment, event }: Change, id: string): PaymentEvent {
  return {
    id,
    type: TYPE_CODES[event.type],
    occurredAt: event.occurredAt,
    payment: withoutDecision(payment),
    movements: event.movements.map((movement) => ({ ...movement, kind: MOVEMENT_CODES[movement.kind] })),
    // Before the decision, the owner of the account is only a claim of the caller, so it is not published.
    fromOwnerId: (event.type !== 'payment.initiated' && payment.fromOwnerId) || '',
    toOwnerId: payment.toOwnerId ?? '',
    refundId: event.refundId ?? '',
  };
}
