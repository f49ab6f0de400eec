/** The state machine of one payment. Pure: no clock, no database, no network. */
import type { Caller } from '@payflowx/chassis';
import { PaymentError } from './errors.ts';
import type { CaptureBy, CaptureMode, Order, PaymentKind } from './order.ts';

export const PAYMENT_STATES = [
  'INITIATED',
  'AUTHORIZED',
  'PARTIALLY_CAPTURED',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'EXPIRED',
  'PARTIALLY_REFUNDED',
  'REFUNDED',
] as const;
export type PaymentState = (typeof PAYMENT_STATES)[number];

/**
 * The origin of a payment: its caller, idempotency key and trace. Recovery needs them to call authorization again in the name of
 * the caller.
 */
export interface Origin {
  readonly caller: Caller;
  readonly requestId: string;
  readonly traceparent: string;
}

export interface Payment {
  readonly id: string;
  readonly kind: PaymentKind;
  readonly state: PaymentState;
  readonly fromAccount: string;
  readonly toAccount: string;
  /**
   * Before the decision, this is the caller, so that it can read its payment; undefined if the caller is an operator or collects. After the
   * decision it is the owner that authorization returned. Undefined if the account is external, was not found, or is not the
   * caller's.
   */
  readonly fromOwnerId: string | undefined;
  /**
   * Present only if the payment was approved, because receivers do not see declined attempts. A payee that collects by a mandate sees its
   * own attempts: then it is the caller before the decision, and the owner after any decision.
   */
  readonly toOwnerId: string | undefined;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly capturedMinor: bigint;
  /** The part of the hold that went back to the payer uncaptured. */
  readonly releasedMinor: bigint;
  readonly refundedMinor: bigint;
  readonly captureMode: CaptureMode;
  readonly captureBy: CaptureBy;
  readonly description: string;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The mandate by which the payee collects. The reference and metadata of the request are then the payee's. */
  readonly mandateId: string | undefined;
  /** The payee's notes. Only in the view of a caller who sees those of both sides. */
  readonly payeeNotes?: Pick<Order, 'reference' | 'metadata'> | undefined;
  readonly failure: Failure | undefined;
  /** The encoded decision of authorization, unchanged. */
  readonly decision: Uint8Array | undefined;
  /**
   * The end of the hold. Before the authorization it is computed by our clock and stored, so that retries send the same value.
   * Afterwards it is authorization's time, whose clock decides. Present only if the payment is captured manually.
   */
  readonly holdExpiresAt: Date | undefined;
  /** When it was completed, cancelled or expired. Later refunds do not change it. Undefined before, and if it was declined. */
  readonly endedAt: Date | undefined;
  /** Increases by one with each change. */
  readonly version: bigint;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly origin: Origin;
}

export interface Failure {
  /** A decline code. */
  readonly code: string;
  readonly message: string;
}

/** The end of the hold of a payment. */
export interface HoldEnd {
  readonly paymentId: string;
  /** By authorization's clock. */
  readonly expiresAt: Date;
}

export interface Movement {
  readonly kind: 'HOLD' | 'RELEASE' | 'TRANSFER';
  readonly fromAccount: string;
  readonly toAccount: string;
  readonly amountMinor: bigint;
}

/** The parts of authorization's decision that the state machine uses. */
export interface Decision {
  /** The id of the event that announces the decision. Its UUID is that of the decision. */
  readonly eventId: string;
  /** By authorization's clock. Events, entries and all totals by day have this time. */
  readonly decidedAt: Date;
  readonly failure: Failure | undefined;
  readonly movements: readonly Movement[];
  readonly fromOwnerId: string | undefined;
  readonly toOwnerId: string | undefined;
  /**
   * The end of the new hold by authorization's clock. Undefined if there is no hold, or if authorization keeps the time that we
   * sent.
   */
  readonly holdExpiresAt?: Date | undefined;
  /** The time, by our clock, from which a retry may get another decision. Present only if the step was too early. */
  readonly retryAt?: Date | undefined;
  /** The encoded decision, unchanged. */
  readonly record: Uint8Array;
}

/** The states in which a payment holds money. */
export const HOLDING_STATES: readonly PaymentState[] = ['AUTHORIZED', 'PARTIALLY_CAPTURED'];

/** The states from which each step may start. Keyed by step and not by target state, because two steps can share a target. */
const STARTS_FROM = {
  authorize: ['INITIATED'],
  complete: ['INITIATED'],
  fail: ['INITIATED'],
  capture: ['AUTHORIZED', 'PARTIALLY_CAPTURED'],
  cancel: ['AUTHORIZED', 'PARTIALLY_CAPTURED'],
  expire: ['AUTHORIZED', 'PARTIALLY_CAPTURED'],
  refund: ['PARTIALLY_CAPTURED', 'COMPLETED', 'PARTIALLY_REFUNDED'],
} as const satisfies Record<string, readonly PaymentState[]>;

export type Step = keyof typeof STARTS_FROM;

/** The steps that callers can request. */
const ACTIONS = ['capture', 'cancel', 'refund'] as const satisfies readonly Step[];

export type EventType =
  | 'payment.initiated'
  | 'payment.authorized'
  | 'payment.captured'
  | 'payment.completed'
  | 'payment.failed'
  | 'payment.cancelled'
  | 'payment.expired'
  | 'payment.refunded';

/** A payment after a step, and the event to publish. */
export interface Change {
  readonly payment: Payment;
  readonly event: {
    readonly type: EventType;
    readonly occurredAt: Date;
    /** All balance changes of this step. */
    readonly movements: readonly Movement[];
    /** The refund that the event belongs to. */
    readonly refundId?: string;
    /** The trace of the request that caused the event. */
    readonly traceparent: string;
  };
}

const INITIAL_VERSION = 1n;
/** The decision is always the first change. */
const DECIDED_VERSION = INITIAL_VERSION + 1n;

/** Starts a payment. `holdMs` is the default hold time, for a manual capture without its own hold time. */
export function initiate(
  order: Order,
  { id, origin, now, holdMs }: { id: string; origin: Origin; now: Date; holdMs: number },
): Change {
  const { holdSeconds, ...terms } = order;
  const heldForMs = holdSeconds === 0 ? holdMs : holdSeconds * 1_000;
  const claimant = origin.caller.roles.includes('operator') ? undefined : origin.caller.id;
  const isCollected = order.mandateId !== undefined;
  const { payment, event } = begun({
    ...terms,
    id,
    fromOwnerId: isCollected ? undefined : claimant,
    holdExpiresAt: order.captureMode === 'MANUAL' ? new Date(now.getTime() + heldForMs) : undefined,
    createdAt: now,
    origin,
  });
  return { payment: isCollected ? { ...payment, toOwnerId: claimant } : payment, event };
}

const AT_START = {
  state: 'INITIATED',
  toOwnerId: undefined,
  capturedMinor: 0n,
  releasedMinor: 0n,
  refundedMinor: 0n,
  failure: undefined,
  decision: undefined,
  endedAt: undefined,
  version: INITIAL_VERSION,
} as const satisfies Partial<Payment>;

/** A payment that has just begun, with the event that announces it. Fields of later steps are reset. */
export function begun(terms: Omit<Payment, keyof typeof AT_START | 'updatedAt'>): Change {
  const { createdAt, origin } = terms;
  const payment: Payment = { ...terms, ...AT_START, updatedAt: createdAt };
  const { traceparent } = origin;
  return { payment, event: { type: 'payment.initiated', occurredAt: createdAt, movements: [], traceparent } };
}

/** Applies authorization's decision to an INITIATED payment. */
export function decide(payment: Payment, decision: Decision): Change {
  if (decision.failure) return fail(payment, decision, decision.failure);
  return payment.captureMode === 'MANUAL' ? authorize(payment, decision) : complete(payment, decision);
}

/** Holds the money for a later capture. */
function authorize(payment: Payment, decision: Decision): Change {
  requireStep(payment, 'authorize');
  const { fromOwnerId, toOwnerId, holdExpiresAt = payment.holdExpiresAt } = decision;
  return change(
    payment,
    { state: 'AUTHORIZED', fromOwnerId, toOwnerId, holdExpiresAt },
    'payment.authorized',
    decision,
  );
}

/** Authorizes and captures in one step. The money has moved. */
function complete(payment: Payment, decision: Decision): Change {
  requireStep(payment, 'complete');
  const { fromOwnerId, toOwnerId, decidedAt: endedAt } = decision;
  const capturedMinor = payment.amountMinor;
  return change(
    payment,
    { state: 'COMPLETED', capturedMinor, fromOwnerId, toOwnerId, endedAt },
    'payment.completed',
    decision,
  );
}

/**
 * Declines the payment. Its receiver is not stored, because receivers do not see declined attempts, unless they were made by a mandate
 * of the receiver. Authorization names no owner if the caller may not use the mandate.
 */
function fail(payment: Payment, decision: Decision, failure: Failure): Change {
  requireStep(payment, 'fail');
  const { fromOwnerId } = decision;
  const toOwnerId = payment.mandateId === undefined ? undefined : decision.toOwnerId;
  return change(payment, { state: 'FAILED', failure, fromOwnerId, toOwnerId }, 'payment.failed', decision);
}

const VERBS: Record<Step, string> = {
  authorize: 'be authorized',
  complete: 'be completed',
  fail: 'fail',
  capture: 'be captured',
  cancel: 'be cancelled',
  expire: 'expire',
  refund: 'be refunded',
};

export function mayTake(payment: Payment, step: Step): boolean {
  const states: readonly PaymentState[] = STARTS_FROM[step];
  return states.includes(payment.state);
}

/** Throws INVALID_STATE with the state and the actions that it allows. */
export function requireStep(payment: Payment, step: Step): void {
  if (mayTake(payment, step)) return;
  const { state } = payment;
  const allowed = ACTIONS.filter((action) => mayTake(payment, action));
  throw new PaymentError('INVALID_STATE', `A payment that is ${state} cannot ${VERBS[step]}.`, {
    metadata: { state, allowed_actions: allowed.join(',') },
  });
}

function change(
  payment: Payment,
  difference: Partial<Payment>,
  type: EventType,
  { movements, record, decidedAt }: Decision,
): Change {
  const changed = {
    ...payment,
    ...difference,
    decision: record,
    version: payment.version + 1n,
    updatedAt: latest(payment.updatedAt, decidedAt),
  };
  const { traceparent } = payment.origin;
  return { payment: changed, event: { type, occurredAt: decidedAt, movements, traceparent } };
}

/** `updatedAt` never goes back: decisions may be stored in another order than they were made, and two clocks may differ. */
export function latest(before: Date, decidedAt: Date): Date {
  return decidedAt > before ? decidedAt : before;
}

/** Returns the step that decided the payment, whatever steps followed. */
export function decidedStep({ failure, captureMode }: Pick<Payment, 'failure' | 'captureMode'>): {
  type: EventType;
  state: PaymentState;
} {
  if (failure) return { type: 'payment.failed', state: 'FAILED' };
  return captureMode === 'MANUAL'
    ? { type: 'payment.authorized', state: 'AUTHORIZED' }
    : { type: 'payment.completed', state: 'COMPLETED' };
}

/**
 * Returns the payment directly after its decision, which was the content of the first response. Fields that later steps change
 * are computed from the decision. Not for INITIATED payments, which have no decision yet.
 */
export function asDecided(payment: Payment, decidedAt: Date): Payment {
  const { state } = decidedStep(payment);
  return {
    ...payment,
    state,
    capturedMinor: state === 'COMPLETED' ? payment.amountMinor : 0n,
    releasedMinor: 0n,
    refundedMinor: 0n,
    endedAt: state === 'COMPLETED' ? decidedAt : undefined,
    version: DECIDED_VERSION,
    updatedAt: decidedAt,
  };
}

/** The declines of a caller who may not spend from the account: the code does not say whether the account or mandate exists. */
const UNKNOWN = ['FROM_ACCOUNT_NOT_FOUND', 'MANDATE_NOT_FOUND'] as const;

/** Returns the decline if the payer's account or the mandate is not the caller's. */
export function unknownIn(failure: Failure | undefined): (typeof UNKNOWN)[number] | undefined {
  return UNKNOWN.find((code) => code === failure?.code);
}

/** True if the payer's account or the mandate is not the caller's. The caller gets 404, and nothing is kept for a replay. */
export function isPayerUnknown(payment: Payment): boolean {
  return unknownIn(payment.failure) !== undefined;
}

/** True if an operator acted as an operator on an account of its own. It gets 403, and nothing is kept for a replay. */
export function isOwnDealing(payment: Payment): boolean {
  return payment.failure?.code === 'OWN_ACCOUNT';
}
