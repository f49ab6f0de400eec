/**
 * The state machine of captures, cancels, expiries and refunds of an authorized payment. Pure: no clock, no database, no network.
 */
import { PaymentError, type Reason } from './errors.ts';
import {
  type Change,
  type Decision,
  type EventType,
  type Failure,
  latest,
  type Movement,
  mayTake,
  type Payment,
  type PaymentState,
  requireStep,
  type Step,
} from './payment.ts';

export type OperationKind = 'CAPTURE' | 'CANCEL' | 'EXPIRE' | 'REFUND';

/** The kinds that callers request. The expiry worker begins expiries. */
export type RequestedKind = Exclude<OperationKind, 'EXPIRE'>;

export interface OperationOrigin {
  /** Undefined for an expiry. */
  readonly callerId: string | undefined;
  /** The API client that called for this user. */
  readonly clientId?: string | undefined;
  /** True if the caller was an operator. */
  readonly byOperator?: boolean;
  /** The idempotency key. Undefined for an expiry. */
  readonly requestId: string | undefined;
  readonly traceparent: string;
}

/** Notes of the requester for its own systems. No other user sees them. */
export interface Notes {
  /** Empty if there is none. */
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export const NO_NOTES: Notes = { reference: '', metadata: {} };

/** The request of a caller. */
export interface Terms {
  readonly kind: RequestedKind;
  /** Undefined stands for the whole available amount. Always undefined for a cancel. */
  readonly amountMinor: bigint | undefined;
  /** True if a capture releases the rest of the hold. */
  readonly final: boolean;
  /** The reason of a refund, for people to read. */
  readonly reason: string;
  readonly notes: Notes;
}

export interface Operation {
  readonly id: string;
  readonly paymentId: string;
  readonly kind: OperationKind;
  readonly state: 'PENDING' | 'COMPLETED' | 'DECLINED';
  /** The amount that a capture or refund reserves while it is pending. 0 for the other kinds, which take what they find. */
  readonly amountMinor: bigint;
  /** True if the request named no amount. A capture then takes everything that is held at the moment of its decision. */
  readonly takesRest: boolean;
  readonly final: boolean;
  readonly reason: string;
  readonly notes: Notes;
  /** Present if DECLINED. */
  readonly failure: Failure | undefined;
  /** The encoded decision of authorization. */
  readonly decision: Uint8Array | undefined;
  readonly origin: OperationOrigin;
  /** Number of recovery attempts. */
  readonly attempts: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const STEPS = {
  CAPTURE: 'capture',
  CANCEL: 'cancel',
  EXPIRE: 'expire',
  REFUND: 'refund',
} as const satisfies Record<OperationKind, Step>;

interface Start {
  readonly id: string;
  readonly origin: OperationOrigin;
  readonly now: Date;
}

/**
 * Begins the operation that a caller requests. `pending` are the payment's operations without an outcome; the amounts that they
 * reserve are not available.
 *
 * Throws INVALID_STATE, CAPTURE_EXCEEDS_AUTHORIZED, REFUND_EXCEEDS_CAPTURED.
 */
export function begin(
  payment: Payment,
  pending: readonly Operation[],
  terms: Terms,
  start: Start,
): Operation {
  requireStep(payment, STEPS[terms.kind]);
  const amountMinor = terms.kind === 'CANCEL' ? 0n : amountOf(payment, pending, terms);
  const takesRest = terms.kind !== 'CANCEL' && terms.amountMinor === undefined;
  return newOperation(payment, { ...terms, amountMinor, takesRest }, start);
}

/** Begins the expiry of a hold that is past its end. */
export function beginExpiry(payment: Payment, start: Start): Operation {
  const nothing = { amountMinor: 0n, takesRest: false, final: false, reason: '', notes: NO_NOTES };
  return newOperation(payment, { kind: 'EXPIRE', ...nothing }, start);
}

function newOperation(
  payment: Payment,
  terms: Pick<Operation, 'kind' | 'amountMinor' | 'takesRest' | 'final' | 'reason' | 'notes'>,
  { id, origin, now }: Start,
): Operation {
  const begun = { state: 'PENDING', failure: undefined, decision: undefined, attempts: 0 } as const;
  return { ...terms, ...begun, id, paymentId: payment.id, origin, createdAt: now, updatedAt: now };
}

/** Returns the amount that is still held. */
export function heldMinor({ amountMinor, capturedMinor, releasedMinor }: Payment): bigint {
  return amountMinor - capturedMinor - releasedMinor;
}

function amountOf(payment: Payment, pending: readonly Operation[], { kind, amountMinor }: Terms): bigint {
  const isCapture = kind === 'CAPTURE';
  const left = isCapture ? heldMinor(payment) : payment.capturedMinor - payment.refundedMinor;
  const competing = pending.filter((other) => other.kind === kind);
  const available = competing.reduce((rest, other) => rest - other.amountMinor, left);
  const wanted = amountMinor ?? available;
  if (wanted > 0n && wanted <= available) return wanted;
  const metadata = { available_minor: available.toString() };
  throw isCapture
    ? new PaymentError('CAPTURE_EXCEEDS_AUTHORIZED', 'This exceeds what is left to capture.', {
        metadata,
      })
    : new PaymentError('REFUND_EXCEEDS_CAPTURED', 'This exceeds what is left to refund.', { metadata });
}

/** An operation with its outcome and the resulting payment. `change` is undefined if the operation was declined. */
export interface Settlement {
  readonly operation: Operation;
  readonly payment: Payment;
  readonly change: Change | undefined;
}

/** After this many attempts a declined operation no longer waits for another one that would explain the decline. */
const MAX_WAITS = 10;

/**
 * Applies authorization's decision to the payment. Decisions may be stored in another order than they were made. The sums come
 * out the same. A hold is closed when the stored outcomes account for all of it, whichever operation is stored last.
 *
 * Returns undefined if the operation must wait, because it depends on the outcome of another operation that is not stored yet.
 */
export function settle(payment: Payment, operation: Operation, decision: Decision): Settlement | undefined {
  if (decision.failure) {
    if (isUnexplained(payment, operation, decision.failure)) return undefined;
    return { operation: ended(operation, 'DECLINED', decision), payment, change: undefined };
  }
  const difference = differenceOf(payment, operation, decision.movements);
  if (!difference) return undefined;
  const updatedAt = latest(payment.updatedAt, decision.decidedAt);
  const changed = { ...payment, ...difference, version: payment.version + 1n, updatedAt };
  const endsHold = heldMinor(payment) > 0n && heldMinor(changed) === 0n;
  const after = endsHold ? { ...changed, endedAt: updatedAt } : changed;
  const event = {
    type: eventTypeOf(operation.kind, after.state),
    occurredAt: decision.decidedAt,
    movements: decision.movements,
    ...(operation.kind === 'REFUND' ? { refundId: operation.id } : {}),
    traceparent: operation.origin.traceparent,
  };
  return {
    operation: ended(operation, 'COMPLETED', decision),
    payment: after,
    change: { payment: after, event },
  };
}

function ended(operation: Operation, state: Operation['state'], decision: Decision): Operation {
  const { failure, record, decidedAt } = decision;
  return { ...operation, state, failure, decision: record, updatedAt: decidedAt };
}

/**
 * True if another operation won and its outcome is not stored yet. INVALID_STATE would then name a state that still allows the
 * step. An expiry runs in the background and waits without limit. If it ended here, it would only be begun again.
 */
function isUnexplained(payment: Payment, { kind, attempts }: Operation, { code }: Failure): boolean {
  if (kind === 'EXPIRE') return code === 'HOLD_NOT_OPEN' && mayTake(payment, 'expire');
  if (kind === 'REFUND') return false;
  if (code !== 'HOLD_NOT_OPEN') return false;
  return attempts < MAX_WAITS && mayTake(payment, STEPS[kind]);
}

function differenceOf(
  payment: Payment,
  { kind }: Operation,
  movements: readonly Movement[],
): Partial<Payment> | undefined {
  requireStep(payment, STEPS[kind]);
  const transferred = sumOf('TRANSFER', movements);
  if (kind === 'REFUND') {
    const refundedMinor = payment.refundedMinor + transferred;
    if (refundedMinor > payment.capturedMinor)
      throw new Error(`The refunds of ${payment.id} exceed its captures.`);
    // While money is still held, the payment is not completed, and its state does not show the refund.
    if (mayTake(payment, 'capture')) return { refundedMinor };
    return { state: completedState({ ...payment, refundedMinor }), refundedMinor };
  }
  // A RELEASE is everything that left the hold: the captured amount, and the amount that went back to the payer.
  const leftHold = sumOf('RELEASE', movements);
  const capturedMinor = payment.capturedMinor + transferred;
  const releasedMinor = payment.releasedMinor + leftHold - transferred;
  const held = heldMinor({ ...payment, capturedMinor, releasedMinor });
  if (held < 0n || leftHold < transferred) throw new Error(`The captures of ${payment.id} exceed its hold.`);
  if (held === 0n) {
    const state = closedState(kind, { ...payment, capturedMinor });
    return { state, capturedMinor, releasedMinor };
  }
  // The rest was released, so an earlier capture exists whose outcome is not stored yet.
  if (kind !== 'CAPTURE') return undefined;
  return { state: 'PARTIALLY_CAPTURED', capturedMinor, releasedMinor };
}

type Sums = Pick<Payment, 'capturedMinor' | 'refundedMinor'>;

/** Returns the state of a payment whose hold was closed by this operation. */
function closedState(kind: OperationKind, sums: Sums): PaymentState {
  if (sums.capturedMinor > 0n) return completedState(sums);
  return kind === 'EXPIRE' ? 'EXPIRED' : 'CANCELLED';
}

/** Returns the state of a payment that holds nothing any more and was captured. */
function completedState({ capturedMinor, refundedMinor }: Sums): PaymentState {
  if (refundedMinor === 0n) return 'COMPLETED';
  return refundedMinor === capturedMinor ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
}

function sumOf(kind: Movement['kind'], movements: readonly Movement[]): bigint {
  return movements.reduce((sum, movement) => (movement.kind === kind ? sum + movement.amountMinor : sum), 0n);
}

/** Returns the event type of an operation that left its payment in this state. */
export function eventTypeOf(kind: OperationKind, state: PaymentState): EventType {
  if (kind === 'REFUND') return 'payment.refunded';
  switch (state) {
    case 'COMPLETED':
    // A part was refunded before the rest of the hold was captured or released.
    case 'PARTIALLY_REFUNDED':
    case 'REFUNDED':
      return 'payment.completed';
    case 'CANCELLED':
      return 'payment.cancelled';
    case 'EXPIRED':
      return 'payment.expired';
    default:
      return 'payment.captured';
  }
}

const REFUSALS: Record<string, Reason> = {
  CAPTURE_EXCEEDS_HOLD: 'CAPTURE_EXCEEDS_AUTHORIZED',
  TO_ACCOUNT_NOT_ACTIVE: 'TO_ACCOUNT_NOT_ACTIVE',
  TO_ACCOUNT_CLOSED: 'TO_ACCOUNT_CLOSED',
};

/**
 * Translates a declined capture or cancel to the error that its caller receives. A declined refund is returned as a Refund
 * message and not as an error.
 */
export function refusalOf(payment: Payment, { kind, failure }: Operation): PaymentError {
  const { code = '', message = '' } = failure ?? {};
  const reason = REFUSALS[code];
  if (reason) return new PaymentError(reason, message, { metadata: { state: payment.state } });
  try {
    requireStep(payment, STEPS[kind]);
  } catch (error) {
    if (error instanceof PaymentError) return error;
    throw error;
  }
  // The payment's state allows the step, but authorization declined it.
  return new PaymentError('INVALID_STATE', message, {
    metadata: { state: payment.state, decline_code: code },
  });
}
