/** Who is told what about a step of a payment. Pure: words and rules, no clock, no store. */
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

/** A step of a payment in this service's own words. Amounts are minor units. */
export interface PaymentStep {
  eventId: string;
  type: EventType;
  occurredAt: Date;
  paymentId: string;
  /** What this step was about: the sum asked for, captured, or refunded. */
  amountMinor: bigint;
  currency: string;
  /** Why it was declined; only of a failed payment. */
  failure: string;
  sender: Party;
  receiver: Party;
}

/** One end of a payment. The world outside owns accounts but is nobody to be told: its owner id is empty. */
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
 * What each side hears of each step; a missing entry is silence. Nobody is told of what may still fail, and a receiver
 * never of an attempt that did not reach it.
 */
const WORDINGS: Record<EventType, { [K in Side]?: Wording }> = {
  'payment.initiated': {},
  'payment.authorized': {
    sender: (amount) => ({ title: 'Payment authorized', body: `${amount} is set aside for your payment.` }),
    receiver: (amount) => ({ title: 'Payment on its way', body: `${amount} is set aside for you.` }),
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
    sender: (amount) => ({ title: 'Payment cancelled', body: `${amount} is yours to spend again.` }),
    receiver: (amount) => ({
      title: 'Payment cancelled',
      body: `A payment of ${amount} to you was cancelled.`,
    }),
  },
  'payment.expired': {
    sender: (amount) => ({ title: 'Payment expired', body: `${amount} is yours to spend again.` }),
    receiver: (amount) => ({ title: 'Payment expired', body: `A payment of ${amount} to you has expired.` }),
  },
  'payment.refunded': {
    sender: (amount) => ({ title: 'Refund received', body: `You were refunded ${amount}.` }),
    receiver: (amount) => ({ title: 'Refund sent', body: `You refunded ${amount}.` }),
  },
};

/** The notices of one step: at most one for each side. */
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
