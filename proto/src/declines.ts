/**
 * The reasons of declines. Authorization writes them as text, because the contract has no enum for them; the gateway and the webhooks
 * show them. A code never changes its meaning.
 */

/** The party that can remove the reason: the calling program, the payer with money, an operator, or none of them. */
export type FixedBy = 'caller' | 'payer' | 'operator' | 'none';

/** When a request may succeed after this error. `changed`: with other data. */
export type Retry = 'later' | 'changed' | 'never';

export interface Decline {
  /** For the payer. */
  readonly message: string;
  readonly fixedBy: FixedBy;
  /** A declined payment is final for its key: a retry is a new payment with a new key. */
  readonly retry: Retry;
}

export const DECLINES = {
  FROM_ACCOUNT_NOT_FOUND: decline('The paying account does not exist.', 'caller', 'changed'),
  TO_ACCOUNT_NOT_FOUND: decline('The receiving account does not exist.', 'caller', 'changed'),
  OWN_ACCOUNT: decline(
    'An operator may not do this with an account of its own. Another operator must do it.',
    'operator',
    'never',
  ),
  FROM_ACCOUNT_NOT_ACTIVE: decline('The paying account is not active.', 'operator', 'later'),
  FROM_ACCOUNT_CLOSED: decline('The paying account is closed.', 'none', 'changed'),
  TO_ACCOUNT_NOT_ACTIVE: decline('The receiving account is not active.', 'operator', 'later'),
  TO_ACCOUNT_CLOSED: decline('The receiving account is closed.', 'none', 'changed'),
  CURRENCY_MISMATCH: decline('Both accounts must be in the currency of the payment.', 'caller', 'changed'),
  PER_PAYMENT_LIMIT_EXCEEDED: decline(
    'The amount is above the limit for one payment from this account.',
    'caller',
    'changed',
  ),
  DAILY_LIMIT_EXCEEDED: decline(
    'The amount is above what is left of the daily limit of this account.',
    'operator',
    'later',
  ),
  MONTHLY_LIMIT_EXCEEDED: decline(
    'The amount is above what is left of the monthly limit of this account.',
    'operator',
    'later',
  ),
  DAILY_COUNT_EXCEEDED: decline(
    'This account has reached its number of payments for today.',
    'operator',
    'later',
  ),
  INSUFFICIENT_BALANCE: decline('The paying account does not have enough money available.', 'payer', 'later'),
  RULE_DECLINED: decline('A rule of the platform declines this payment.', 'operator', 'never'),
  MANDATE_NOT_FOUND: decline(
    'There is no mandate by which you may collect this payment.',
    'caller',
    'changed',
  ),
  MANDATE_NOT_ACTIVE: decline('The mandate is revoked or has expired.', 'payer', 'changed'),
  MANDATE_LIMIT_EXCEEDED: decline(
    'The amount is above what is left of a limit of the mandate.',
    'payer',
    'later',
  ),
  HOLD_NOT_OPEN: decline('The money of this payment is no longer held.', 'none', 'never'),
  CAPTURE_EXCEEDS_HOLD: decline(
    'The amount is above what is still held for this payment.',
    'caller',
    'changed',
  ),
  HOLD_NOT_EXPIRED: decline('The hold has not expired yet.', 'none', 'later'),
} as const satisfies Record<string, Decline>;

export type DeclineCode = keyof typeof DECLINES;

function decline(message: string, fixedBy: FixedBy, retry: Retry): Decline {
  return { message, fixedBy, retry };
}

/** True if a new request with the same data and a new key may succeed later. False for a code of a later version. */
export function mayPassLater(code: string): boolean {
  return Object.hasOwn(DECLINES, code) && DECLINES[code as DeclineCode].retry === 'later';
}
