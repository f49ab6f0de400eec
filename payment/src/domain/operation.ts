/** What is asked of a payment after it was authorized: captures, cancels, expiries, refunds. Pure, as the payment's own life is. */
import { PaymentError, type Reason } from './errors.ts';
import {
  type Change,
  type Decision,
  type EventType,
  type Failure,
  type Movement,
  mayTake,
  type Payment,
  type PaymentState,
  requireStep,
  type Step,
} from './payment.ts';

export type OperationKind = 'CAPTURE' | 'CANCEL' | 'EXPIRE' | 'REFUND';

/** Time asks for an expiry, callers for the others. */
export type RequestedKind = Exclude<OperationKind, 'EXPIRE'>;

export interface OperationOrigin {
  /** Undefined: time. */
  readonly callerId: string | undefined;
  /** The idempotency key. Undefined: time. */
  readonly requestId: string | undefined;
  readonly traceparent: string;
}

/** What a caller asks for. */
export interface Terms {
  readonly kind: RequestedKind;
  /** Undefined: all there is. A cancel has none. */
  readonly amountMinor: bigint | undefined;
  /** Of a capture: whether the rest is released. */
  readonly final: boolean;
  /** Of a refund: for people. */
  readonly reason: string;
}

export interface Operation {
  readonly id: string;
  readonly paymentId: string;
  readonly kind: OperationKind;
  readonly state: 'PENDING' | 'COMPLETED' | 'DECLINED';
  /** Of a capture or refund: what no other one may count on meanwhile. 0 for the others: they take what they find. */
  readonly amountMinor: bigint;
  /** Of a capture: takes whatever is still held when its turn comes. */
  readonly takesRest: boolean;
  readonly final: boolean;
  readonly reason: string;
  /** Present if DECLINED. */
  readonly failure: Failure | undefined;
  /** Authorization's own record of its decision. */
  readonly decision: Uint8Array | undefined;
  readonly origin: OperationOrigin;
  /** How often recovery has taken it up. */
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
 * Begins what a caller asks for. `pending` are the payment's operations without an outcome: what they want counts as gone.
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
  const takesRest = terms.kind === 'CAPTURE' && terms.amountMinor === undefined;
  return newOperation(payment, { ...terms, amountMinor, takesRest }, start);
}

/** Begins the end of a hold whose time is over. */
export function beginExpiry(payment: Payment, start: Start): Operation {
  const nothing = { amountMinor: 0n, takesRest: false, final: false, reason: '' };
  return newOperation(payment, { kind: 'EXPIRE', ...nothing }, start);
}

function newOperation(
  payment: Payment,
  terms: Pick<Operation, 'kind' | 'amountMinor' | 'takesRest' | 'final' | 'reason'>,
  { id, origin, now }: Start,
): Operation {
  const begun = { state: 'PENDING', failure: undefined, decision: undefined, attempts: 0 } as const;
  return { ...terms, ...begun, id, paymentId: payment.id, origin, createdAt: now, updatedAt: now };
}

/** What is left on the hold. */
export function heldMinor({ amountMinor, capturedMinor, releasedMinor }: Payment): bigint {
  return amountMinor - capturedMinor - releasedMinor;
}

function amountOf(payment: Payment, pending: readonly Operation[], { kind, amountMinor }: Terms): bigint {
  const isCapture = kind === 'CAPTURE';
  const left = isCapture ? heldMinor(payment) : payment.capturedMinor - payment.refundedMinor;
  const rivals = pending.filter((other) => other.kind === kind);
  const available = rivals.reduce((rest, other) => rest - other.amountMinor, left);
  const wanted = amountMinor ?? available;
  if (wanted > 0n && wanted <= available) return wanted;
  const metadata = { available_minor: available.toString() };
  throw isCapture
    ? new PaymentError('CAPTURE_EXCEEDS_AUTHORIZED', 'There is less left to capture.', { metadata })
    : new PaymentError('REFUND_EXCEEDS_CAPTURED', 'There is less left to refund.', { metadata });
}

/** An operation with its outcome, and what it did to the payment; no change where it was declined. */
export interface Settlement {
  readonly operation: Operation;
  readonly payment: Payment;
  readonly change: Change | undefined;
}

/** After so many attempts an operation no longer waits for another one that would explain its decline. */
const MAX_WAITS = 10;

/**
 * Takes the step that authorization's decision asks for. Decisions may be stored in another order than they were taken in: the
 * sums come out the same, and a hold counts as closed when all of it has been accounted for, by whichever comes last.
 * Undefined: it must wait, because it follows from another operation's outcome that is not stored yet.
 */
export function settle(
  payment: Payment,
  operation: Operation,
  decision: Decision,
  now: Date,
): Settlement | undefined {
  if (decision.failure) {
    if (isUnexplained(payment, operation, decision.failure)) return undefined;
    return { operation: ended(operation, 'DECLINED', decision, now), payment, change: undefined };
  }
  const difference = differenceOf(payment, operation, decision.movements);
  if (!difference) return undefined;
  const changed = { ...payment, ...difference, version: payment.version + 1n, updatedAt: now };
  const event = {
    type: eventTypeOf(operation.kind, changed.state),
    occurredAt: now,
    movements: decision.movements,
    ...(operation.kind === 'REFUND' ? { refundId: operation.id } : {}),
    traceparent: operation.origin.traceparent,
  };
  return {
    operation: ended(operation, 'COMPLETED', decision, now),
    payment: changed,
    change: { payment: changed, event },
  };
}

function ended(operation: Operation, state: Operation['state'], decision: Decision, now: Date): Operation {
  const { failure, record } = decision;
  return { ...operation, state, failure, decision: record, updatedAt: now };
}

/**
 * Another operation has won, but its outcome isn't stored yet: "the state does not allow it" would name a state that does. An expiry,
 * which nobody waits for, waits however long that takes: one that ended here would only be begun again.
 */
function isUnexplained(payment: Payment, { kind, attempts }: Operation, { code }: Failure): boolean {
  if (kind === 'EXPIRE') return code === 'HOLD_NOT_OPEN' && mayTake(payment, 'expire');
  if (kind === 'REFUND') return false;
  if (code !== 'HOLD_NOT_OPEN' && code !== 'HOLD_PARTLY_CAPTURED') return false;
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
      throw new Error(`${payment.id} was refunded beyond its capture.`);
    const state = refundedMinor === payment.capturedMinor ? 'REFUNDED' : 'PARTIALLY_REFUNDED';
    return { state, refundedMinor };
  }
  // A RELEASE is all that left the hold: what was captured of it, and what went back to the payer.
  const leftHold = sumOf('RELEASE', movements);
  const capturedMinor = payment.capturedMinor + transferred;
  const releasedMinor = payment.releasedMinor + leftHold - transferred;
  const held = heldMinor({ ...payment, capturedMinor, releasedMinor });
  if (held < 0n || leftHold < transferred) throw new Error(`${payment.id} was captured beyond its hold.`);
  if (held === 0n) return { state: closedState(kind, capturedMinor), capturedMinor, releasedMinor };
  // The rest was released, so something was captured before whose outcome isn't stored yet.
  if (kind !== 'CAPTURE') return undefined;
  return { state: 'PARTIALLY_CAPTURED', capturedMinor, releasedMinor };
}

function closedState(kind: OperationKind, capturedMinor: bigint): PaymentState {
  if (capturedMinor > 0n) return 'COMPLETED';
  return kind === 'EXPIRE' ? 'EXPIRED' : 'CANCELLED';
}

function sumOf(kind: Movement['kind'], movements: readonly Movement[]): bigint {
  return movements.reduce((sum, movement) => (movement.kind === kind ? sum + movement.amountMinor : sum), 0n);
}

/** What is announced of an operation that left its payment in this state. */
export function eventTypeOf(kind: OperationKind, state: PaymentState): EventType {
  if (kind === 'REFUND') return 'payment.refunded';
  switch (state) {
    case 'COMPLETED':
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
};

/** What the caller of a declined capture or cancel is told. A refund that was declined is an answer of its own. */
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
  // The state would allow it; authorization does not.
  return new PaymentError('INVALID_STATE', message, {
    metadata: { state: payment.state, decline_code: code },
  });
}
