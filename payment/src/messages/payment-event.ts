/** What happened to a payment, as Kafka and RabbitMQ are told. Encoded once for both. */
import { cloudEventMessage, type OutboxRow } from '@payflowx/chassis';
import { MovementKind } from '@payflowx/proto/authorization';
import { PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import { type Change, type EventType, isPayerUnknown, type Movement } from '../domain/payment.ts';
import { encodePayment } from './payment-message.ts';

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
export function toOutboxRows(change: Change, id: string, encodedPayment: Uint8Array): OutboxRow[] {
  const { payment, event } = change;
  const message = cloudEventMessage({
    id,
    type: event.type,
    source: SOURCE,
    time: event.occurredAt,
    subject: payment.id,
    traceparent: event.traceparent,
    key: payment.id,
    payload: encodeEvent(change, id, encodedPayment),
  });
  const rows = [{ destination: EVENTS_DESTINATION, message }];
  if (isNotified(change)) rows.push({ destination: NOTIFICATIONS_DESTINATION, message });
  return rows;
}

/** Outcomes are notified; that a payment began is not, nor one whose payer is unknown: there would be nobody to tell. */
function isNotified({ payment, event }: Change): boolean {
  return event.type !== 'payment.initiated' && !isPayerUnknown(payment);
}

/**
 * A broker that refuses a message as too large would refuse it for ever, and everything behind it would wait. All that a caller gives
 * is bounded; a decision with a hundred rules that explain themselves is not. Nobody who consumes events needs it: the payment keeps it.
 */
const MAX_DECISION_BYTES = 128 * 1024;

function withinBounds(payment: Change['payment'], encodedPayment: Uint8Array): Uint8Array {
  if ((payment.decision?.length ?? 0) <= MAX_DECISION_BYTES) return encodedPayment;
  return encodePayment({ ...payment, decision: undefined });
}

/** Field 4 (payment), length-delimited, as the wire names it. */
const PAYMENT_TAG = (4 << 3) | 2;

function encodeEvent({ payment, event }: Change, id: string, encodedPayment: Uint8Array): Uint8Array {
  const writer = PaymentEvent.encode({
    id,
    type: TYPE_CODES[event.type],
    occurredAt: event.occurredAt,
    payment: undefined,
    movements: event.movements.map((movement) => ({ ...movement, kind: MOVEMENT_CODES[movement.kind] })),
    // Before the decision, who owns the account is the caller's claim: nothing to announce.
    fromOwnerId: (event.type !== 'payment.initiated' && payment.fromOwnerId) || '',
    toOwnerId: payment.toOwnerId ?? '',
    refundId: event.refundId ?? '',
  });
  return writer.uint32(PAYMENT_TAG).bytes(withinBounds(payment, encodedPayment)).finish();
}
