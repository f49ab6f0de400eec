/** Decodes the messages of the queue payment-notifications: each is a PaymentEvent, translated to the types of this service. */
import { type EventMessage, sampledTraceparent } from '@payflowx/chassis';
import { type Movement, MovementKind } from '@payflowx/proto/authorization';
import { type Payment, PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import type { EventType } from '../domain/events.ts';
import type { PaymentStep } from '../domain/notice.ts';

const TYPES: Record<PaymentEventType, EventType | undefined> = {
  [PaymentEventType.UNSPECIFIED]: undefined,
  [PaymentEventType.INITIATED]: 'payment.initiated',
  [PaymentEventType.AUTHORIZED]: 'payment.authorized',
  [PaymentEventType.CAPTURED]: 'payment.captured',
  [PaymentEventType.COMPLETED]: 'payment.completed',
  [PaymentEventType.FAILED]: 'payment.failed',
  [PaymentEventType.CANCELLED]: 'payment.cancelled',
  [PaymentEventType.EXPIRED]: 'payment.expired',
  [PaymentEventType.REFUNDED]: 'payment.refunded',
};

/** Throws if the message is no event of a payment. The message then becomes a dead letter with that reason. */
export function decodeStep({
  payload,
  headers,
}: Pick<EventMessage, 'payload'> & Partial<Pick<EventMessage, 'headers'>>): PaymentStep {
  const event = PaymentEvent.decode(payload);
  const type = TYPES[event.type];
  if (!type) throw new Error(`unknown event type ${event.type}`);
  if (!event.id || !event.occurredAt || !event.payment?.id)
    throw new Error('no event id, time or payment in it');
  const { payment } = event;
  return {
    eventId: event.id,
    type,
    occurredAt: event.occurredAt,
    paymentId: payment.id,
    version: payment.version,
    amountMinor: amountOf(payment, type, event.movements),
    movedMinor: sumOf(MovementKind.TRANSFER, event.movements),
    capturedMinor: payment.capturedMinor,
    freedMinor: freedBy(event.movements),
    currency: payment.currency,
    failure: { code: payment.failure?.code ?? '', message: payment.failure?.message ?? '' },
    isCollected: payment.mandateId !== '',
    description: payment.description,
    reference: payment.reference,
    sender: { accountId: payment.fromAccount, ownerId: event.fromOwnerId },
    receiver: { accountId: payment.toAccount, ownerId: event.toOwnerId },
    content: payload,
    traceparent: sampledTraceparent(headers?.traceparent),
  };
}

/**
 * Returns the amount that the step moved. Without a transfer it is the amount that was held or released, or the requested
 * amount. For a payment that completes by the release of the rest, it is the captured amount.
 */
function amountOf(payment: Payment, type: EventType, movements: readonly Movement[]): bigint {
  const moved = sumOf(MovementKind.TRANSFER, movements);
  if (moved > 0n) return moved;
  if (type === 'payment.completed') return payment.capturedMinor;
  return movements[0]?.amountMinor ?? payment.amountMinor;
}

/** Returns the released amount that was not captured. */
function freedBy(movements: readonly Movement[]): bigint {
  const freed = sumOf(MovementKind.RELEASE, movements) - sumOf(MovementKind.TRANSFER, movements);
  return freed > 0n ? freed : 0n;
}

function sumOf(kind: MovementKind, movements: readonly Movement[]): bigint {
  return movements.reduce((sum, movement) => (movement.kind === kind ? sum + movement.amountMinor : sum), 0n);
}
