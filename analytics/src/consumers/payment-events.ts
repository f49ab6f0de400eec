/**
 * Consumes the topic payment-events: turns each event into a fact to count. Events that cannot be counted are refused with the
 * reason.
 */
import type { KafkaHandlers } from '@payflowx/chassis/kafka';
import { MovementKind } from '@payflowx/proto/authorization';
import { type Payment, PaymentEvent, PaymentEventType, PaymentKind } from '@payflowx/proto/payment';
import { type CountDeps, countPayments } from '../app/count-payments.ts';
import { EventRefused } from '../domain/errors.ts';
import type { EventType, PaymentFact } from '../domain/totals.ts';

/** The Kafka handlers of the topic; a rebuild uses the same. */
export function paymentEvents(deps: CountDeps): KafkaHandlers<PaymentFact | undefined> {
  return {
    decode: ({ payload }) => decodePaymentEvent(payload),
    apply: (decoded) =>
      countPayments(
        deps,
        decoded.filter((fact) => fact !== undefined),
      ),
  };
}

const EVENT_TYPES: Record<number, EventType> = {
  [PaymentEventType.INITIATED]: 'initiated',
  [PaymentEventType.AUTHORIZED]: 'authorized',
  [PaymentEventType.CAPTURED]: 'captured',
  [PaymentEventType.COMPLETED]: 'completed',
  [PaymentEventType.FAILED]: 'failed',
  [PaymentEventType.CANCELLED]: 'cancelled',
  [PaymentEventType.EXPIRED]: 'expired',
  [PaymentEventType.REFUNDED]: 'refunded',
};

const EVENT_ID = /^evt_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Returns undefined for deposits and withdrawals. They bring money in and out, and as payments they would inflate every volume
 * and every success rate. Throws EventRefused if the event cannot be counted.
 */
export function decodePaymentEvent(payload: Buffer): PaymentFact | undefined {
  const event = parse(payload);
  const { id: eventId, payment, occurredAt } = event;
  if (!EVENT_ID.test(eventId)) throw new EventRefused(`"${eventId}" is not the id of an event.`);
  const type = EVENT_TYPES[event.type];
  if (type === undefined) throw new EventRefused(`${eventId} has the unknown type ${event.type}.`);
  if (!payment) throw new EventRefused(`${eventId} names no payment.`);
  if (!/^[A-Z]{3}$/.test(payment.currency)) throw new EventRefused(`${eventId} has no currency.`);
  if (!occurredAt || Number.isNaN(occurredAt.getTime())) throw new EventRefused(`${eventId} has no time.`);
  if (payment.kind !== PaymentKind.PAYMENT) return undefined;

  return {
    eventId,
    type,
    occurredAt,
    currency: payment.currency,
    fromAccount: payment.fromAccount,
    toAccount: payment.toAccount,
    isPayerKnown: event.fromOwnerId !== '',
    ...movedBy(event, payment),
    hasMoved: payment.capturedMinor > 0n,
  };
}

function parse(payload: Buffer): PaymentEvent {
  try {
    return PaymentEvent.decode(payload);
  } catch (error) {
    throw new EventRefused('The payload is not a PaymentEvent.', { cause: error });
  }
}

/** Holds and releases move nothing yet. A transfer out of the receiver's account is a refund to the payer. */
function movedBy(
  { id, movements }: PaymentEvent,
  { toAccount }: Payment,
): Pick<PaymentFact, 'capturedMinor' | 'refundedMinor'> {
  const moved = { capturedMinor: 0n, refundedMinor: 0n };
  for (const movement of movements) {
    if (movement.kind !== MovementKind.TRANSFER) continue;
    if (movement.amountMinor < 1n) throw new EventRefused(`${id} moves the amount ${movement.amountMinor}.`);
    if (movement.fromAccount === toAccount) moved.refundedMinor += movement.amountMinor;
    else moved.capturedMinor += movement.amountMinor;
  }
  return moved;
}
