/** Decodes the messages of the queue payment-notifications: each is a PaymentEvent, translated to the types of this service. */
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

/** Throws if the message is no event of a payment. The message then becomes a dead letter with that reason. */
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
 * Returns the transferred amount of the step. Without a transfer it is the amount that was held or released, and without any
 * movement the requested amount. For a completed payment it is the whole captured amount, because the last step may have captured
 * only a part or only released the rest.
 */
function amountOf(payment: Payment, type: EventType, movements: readonly Movement[]): bigint {
  if (type === 'payment.completed') return payment.capturedMinor;
  const transfer = movements.find(({ kind }) => kind === MovementKind.TRANSFER);
  return (transfer ?? movements[0])?.amountMinor ?? payment.amountMinor;
}
