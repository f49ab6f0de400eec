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
  /** The requested, held, captured, released or refunded amount of this step, depending on the type. */
  amountMinor: bigint;
  /** The amount that this step moved from the payer to the receiver, or back. */
  movedMinor: bigint;
  /** The amount captured by this step and all before it. */
  capturedMinor: bigint;
  /** The part of the held money that this step released without moving it. The payer can spend it again. */
  freedMinor: bigint;
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

interface Text {
  title: string;
  body: string;
}
type Wording = (amount: string, step: PaymentStep) => Text;

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
    sender: (amount, step) => withFreed(sentText(amount, step), step),
    receiver: receivedText,
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

/** A payment completes at once, with the last part of several, or without a further part because the rest was released. */
function courseOf({ movedMinor, capturedMinor }: PaymentStep): 'whole' | 'last part' | 'released' {
  if (movedMinor === 0n) return 'released';
  return movedMinor < capturedMinor ? 'last part' : 'whole';
}

function sentText(amount: string, step: PaymentStep): Text {
  const total = formatMoney(step.capturedMinor, step.currency);
  switch (courseOf(step)) {
    case 'whole':
      return { title: 'Payment sent', body: `Your payment of ${amount} was sent.` };
    case 'last part':
      return { title: 'Payment sent', body: `The last ${amount} of your payment was sent, ${total} in all.` };
    case 'released':
      return { title: 'Payment completed', body: `${total} of your payment was sent in all.` };
  }
}

function receivedText(amount: string, step: PaymentStep): Text {
  const total = formatMoney(step.capturedMinor, step.currency);
  switch (courseOf(step)) {
    case 'whole':
      return { title: 'Payment received', body: `You received ${amount}.` };
    case 'last part':
      return {
        title: 'Payment received',
        body: `You received the last ${amount} of a payment, ${total} in all.`,
      };
    case 'released':
      return { title: 'Payment completed', body: `You received ${total} in all.` };
  }
}

function withFreed({ title, body }: Text, { freedMinor, currency }: PaymentStep): Text {
  if (freedMinor === 0n) return { title, body };
  return { title, body: `${body} ${formatMoney(freedMinor, currency)} is available again.` };
}

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
