/** The life of one payment by the contract. Pure: the platform's responses must agree with it. */

export type State =
  | 'AUTHORIZED'
  | 'PARTIALLY_CAPTURED'
  | 'COMPLETED'
  | 'FAILED'
  | 'CANCELLED'
  | 'EXPIRED'
  | 'PARTIALLY_REFUNDED'
  | 'REFUNDED';

export interface PaymentModel {
  kind: 'payment' | 'deposit' | 'withdrawal';
  state: State;
  from: string;
  to: string;
  amount: number;
  captured: number;
  refunded: number;
  /** The part of the hold that was released. */
  released: number;
  /** End of its hold, in milliseconds since 1970. Undefined if nothing was ever held. */
  expiresAt: number | undefined;
  version: number;
  /** Number of its notifications. */
  notified: number;
}

export type Operation =
  | { name: 'capture'; amount?: number; final?: boolean }
  | { name: 'cancel' }
  | { name: 'refund'; amount?: number };

/** Start states of each operation. */
const STARTS_FROM: Record<Operation['name'], readonly State[]> = {
  capture: ['AUTHORIZED', 'PARTIALLY_CAPTURED'],
  cancel: ['AUTHORIZED', 'PARTIALLY_CAPTURED'],
  refund: ['PARTIALLY_CAPTURED', 'COMPLETED', 'PARTIALLY_REFUNDED'],
};

export interface Refusal {
  status: number;
  code: string;
}

/** Applies an operation, if no account prevents it. Returns the payment after it, or the reason for refusing it. */
export function apply(payment: PaymentModel, operation: Operation): PaymentModel | Refusal {
  if (!STARTS_FROM[operation.name].includes(payment.state)) return { status: 409, code: 'INVALID_STATE' };
  switch (operation.name) {
    case 'capture':
      return capture(payment, operation.amount, operation.final ?? operation.amount === undefined);
    case 'cancel':
      return close(payment, 'CANCELLED');
    case 'refund':
      return refund(payment, operation.amount);
  }
}

export function isRefusal(outcome: PaymentModel | Refusal): outcome is Refusal {
  return 'code' in outcome;
}

function capture(payment: PaymentModel, amount = heldOf(payment), final: boolean): PaymentModel | Refusal {
  if (amount > heldOf(payment)) return { status: 422, code: 'CAPTURE_EXCEEDS_AUTHORIZED' };
  const captured = payment.captured + amount;
  const released = final ? payment.amount - captured : 0;
  const isHeld = captured + released < payment.amount;
  const state = isHeld ? 'PARTIALLY_CAPTURED' : completedState({ ...payment, captured });
  return changed(payment, { state, captured, released });
}

function refund(payment: PaymentModel, amount = payment.captured - payment.refunded): PaymentModel | Refusal {
  const refunded = payment.refunded + amount;
  // Without an amount, nothing may be left: all that was captured is refunded, and the rest is still held.
  if (amount === 0 || refunded > payment.captured) return { status: 422, code: 'REFUND_EXCEEDS_CAPTURED' };
  const state = heldOf(payment) > 0 ? payment.state : completedState({ ...payment, refunded });
  return changed(payment, { state, refunded });
}

/** The payment after its hold has expired. */
export function expire(payment: PaymentModel): PaymentModel {
  return close(payment, 'EXPIRED');
}

/** The payment after the rest of its hold was released. */
function close(payment: PaymentModel, untouched: 'CANCELLED' | 'EXPIRED'): PaymentModel {
  const state = payment.captured > 0 ? completedState(payment) : untouched;
  return changed(payment, { state, released: payment.amount - payment.captured });
}

function completedState({ captured, refunded }: Pick<PaymentModel, 'captured' | 'refunded'>): State {
  if (refunded === 0) return 'COMPLETED';
  return refunded === captured ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
}

/** Each change raises the version and notifies both sides, except external accounts. */
function changed(payment: PaymentModel, change: Partial<PaymentModel>): PaymentModel {
  const sides = payment.kind === 'payment' ? 2 : 1;
  return { ...payment, ...change, version: payment.version + 1, notified: payment.notified + sides };
}

export function allowedActions({ state }: PaymentModel): string[] {
  return Object.entries(STARTS_FROM).flatMap(([name, states]) => (states.includes(state) ? [name] : []));
}

export function heldOf({ state, amount, captured, released }: PaymentModel): number {
  return STARTS_FROM.capture.includes(state) ? amount - captured - released : 0;
}

export interface Balance {
  posted: number;
  held: number;
  /** The ledger's pending layer: incoming holds of the account, less its outgoing holds. */
  pending: number;
}

/** The share of a payment in an account's balance, in the payment's present state. */
export function contributionOf(payment: PaymentModel, account: string): Balance {
  const moved = payment.captured - payment.refunded;
  const held = heldOf(payment);
  if (account === payment.from) return { posted: -moved, held, pending: -held };
  if (account === payment.to) return { posted: moved, held: 0, pending: held };
  return { posted: 0, held: 0, pending: 0 };
}
