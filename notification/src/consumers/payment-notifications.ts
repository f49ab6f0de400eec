/** The queue payment-notifications: a PaymentEvent a message, turned into this service's own words. */
import type { IncomingMessage } from '@payflowx/chassis';
import { type Movement, MovementKind } from '@payflowx/proto/authorization';
import { type Payment, PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import type { EventType, PaymentStep } from '../domain/notice.ts';

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

/** Throws for a message that is no event of a payment; it becomes a dead letter with that reason. */
export function decodeStep({ payload }: Pick<IncomingMessage, 'payload'>): PaymentStep {
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
    amountMinor: amountOf(payment, type, event.movements),
    currency: payment.currency,
    failure: payment.failure?.message ?? '',
    sender: { accountId: payment.fromAccount, ownerId: event.fromOwnerId },
    receiver: { accountId: payment.toAccount, ownerId: event.toOwnerId },
  };
}

/**
 * What the step moved; where it moved nothing, what it held or let go; where it touched nothing, what was asked for. A completed
 * payment tells the whole: its last step may have moved only a part of it, or only let go what was left.
 */
function amountOf(payment: Payment, type: EventType, movements: readonly Movement[]): bigint {
  if (type === 'payment.completed') return payment.capturedMinor;
  const transfer = movements.find(({ kind }) => kind === MovementKind.TRANSFER);
  return (transfer ?? movements[0])?.amountMinor ?? payment.amountMinor;
}
