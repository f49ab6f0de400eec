/** Decides the recipients and texts of the notices of a step. Pure: no clock, no store. */
import { formatMoney } from './money.ts';

export type Side = 'sender' | 'receiver';

export type EventType =
  | 'payment.initiated'
  | 'payment.authorized'
  | 'payment.captured'
  | 'payment.completed'
  | 'payment.failed'
  | 'payment.cancelled'
  | 'payment.expired'
  | 'payment.refunded';

/** A step of a payment, translated from its event. Amounts are minor units. */
export interface PaymentStep {
  eventId: string;
  type: EventType;
  occurredAt: Date;
  paymentId: string;
  /** The requested, held, captured, released or refunded amount, depending on the type. */
  amountMinor: bigint;
  currency: string;
  /** The reason of a decline. Empty unless the payment failed. */
  failure: string;
  sender: Party;
  receiver: Party;
}

/** One side of a payment. An external account has no user to notify, so its owner id is empty. */
export interface Party {
  accountId: string;
  ownerId: string;
}

export interface Notice {
  eventId: string;
  side: Side;
  recipientId: string;
  accountId: string;
  paymentId: string;
  eventType: EventType;
  title: string;
  body: string;
  amountMinor: bigint;
  currency: string;
  createdAt: Date;
}

type Wording = (amount: string, step: PaymentStep) => { title: string; body: string };

/**
 * The texts for each side by event type. A side without an entry gets no notice. Users are not notified of a payment without an
 * outcome, nor receivers of a declined attempt.
 */
const WORDINGS: Record<EventType, { [K in Side]?: Wording }> = {
  'payment.initiated': {},
  'payment.authorized': {
    sender: (amount) => ({ title: 'Payment authorized', body: `${amount} is reserved for your payment.` }),
    receiver: (amount) => ({ title: 'Payment authorized', body: `${amount} is reserved for you.` }),
  },
  'payment.captured': {
    sender: (amount) => ({ title: 'Part of a payment sent', body: `${amount} of your payment was sent.` }),
    receiver: (amount) => ({ title: 'Part of a payment received', body: `You received ${amount}.` }),
  },
  'payment.completed': {
    sender: (amount) => ({ title: 'Payment sent', body: `Your payment of ${amount} was sent.` }),
    receiver: (amount) => ({ title: 'Payment received', body: `You received ${amount}.` }),
  },
  'payment.failed': {
    sender: (amount, { failure }) => ({
      title: 'Payment declined',
      body: `Your payment of ${amount} was declined. ${failure}`.trim(),
    }),
  },
  'payment.cancelled': {
    sender: (amount) => ({ title: 'Payment cancelled', body: `${amount} is available again.` }),
    receiver: (amount) => ({
      title: 'Payment cancelled',
      body: `A payment of ${amount} to you was cancelled.`,
    }),
  },
  'payment.expired': {
    sender: (amount) => ({ title: 'Payment expired', body: `${amount} is available again.` }),
    receiver: (amount) => ({ title: 'Payment expired', body: `A payment of ${amount} to you has expired.` }),
  },
  'payment.refunded': {
    sender: (amount) => ({ title: 'Refund received', body: `You were refunded ${amount}.` }),
    receiver: (amount) => ({ title: 'Refund sent', body: `You refunded ${amount}.` }),
  },
};

/** Returns the notices of one step: at most one for each side. */
export function noticesOf(step: PaymentStep): Notice[] {
  const amount = formatMoney(step.amountMinor, step.currency);
  return (['sender', 'receiver'] as const).flatMap((side) => {
    const wording = WORDINGS[step.type][side];
    const { ownerId, accountId } = step[side];
    if (!wording || ownerId === '') return [];
    return {
      eventId: step.eventId,
      side,
      recipientId: ownerId,
      accountId,
      paymentId: step.paymentId,
      eventType: step.type,
      ...wording(amount, step),
      amountMinor: step.amountMinor,
      currency: step.currency,
      createdAt: step.occurredAt,
    };
  });
}
