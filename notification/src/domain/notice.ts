/** Who is told what about a step of a payment. Pure: words and rules, no clock, no store. */

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

/** Looking up what a format has settled on costs more than formatting. */
const formats = new Map<string, { format: Intl.NumberFormat; exponent: number }>();

function formatOf(currency: string) {
  const known = formats.get(currency);
  if (known) return known;
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const made = { format, exponent: format.resolvedOptions().maximumFractionDigits ?? 2 };
  formats.set(currency, made);
  return made;
}

/** Minor units for people: 1250 EUR is "€12.50", 1250 JPY is "¥1,250" (exponents of ISO 4217, from the runtime's CLDR data). */
export function formatMoney(amountMinor: bigint, currency: string): string {
  const { format, exponent } = formatOf(currency);
  const digits = amountMinor.toString().padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  const decimal = exponent > 0 ? `${whole}.${digits.slice(-exponent)}` : whole;
  // A string keeps every digit; a number would not beyond 2^53.
  return format.format(decimal as Intl.StringNumericLiteral);
}
