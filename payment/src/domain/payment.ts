/** The life of one payment. Pure: no clock, no database, no network. */
import { PaymentError } from './errors.ts';
import type { CaptureMode, Order, PaymentKind } from './order.ts';

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

export type Role = 'customer' | 'operator' | 'auditor' | 'service';

export interface Caller {
  readonly id: string;
  readonly roles: readonly Role[];
}

/** Who asked for a payment, with which idempotency key, in which trace. Enough to ask authorization again in the same name. */
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
   * Until decided, the caller who claims to own it (an operator claims nothing), so that it finds its payment; then as
   * authorization says: unknown if the account is external, was not found, or wasn't the caller's.
   */
  readonly fromOwnerId: string | undefined;
  /** Known only if the payment was approved: a declined attempt is the sender's own matter. */
  readonly toOwnerId: string | undefined;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly capturedMinor: bigint;
  /** What of the hold went back to the payer without having been captured. */
  readonly releasedMinor: bigint;
  readonly refundedMinor: bigint;
  readonly captureMode: CaptureMode;
  readonly description: string;
  readonly reference: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly failure: Failure | undefined;
  /** Authorization's own record of its decision, kept as it came. */
  readonly decision: Uint8Array | undefined;
  /**
   * When a hold ends. Until it is authorized, as we reckon it, set from the start so that asking again asks the same; then as
   * authorization says, whose clock decides. Only a payment captured by hand has one.
   */
  readonly holdExpiresAt: Date | undefined;
  /** Rises by one with each change. */
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

export interface Movement {
  readonly kind: 'HOLD' | 'RELEASE' | 'TRANSFER';
  readonly fromAccount: string;
  readonly toAccount: string;
  readonly amountMinor: bigint;
}

/** What authorization decided, as far as a payment's life depends on it. */
export interface Decision {
  readonly failure: Failure | undefined;
  readonly movements: readonly Movement[];
  readonly fromOwnerId: string | undefined;
  readonly toOwnerId: string | undefined;
  /** When the hold ends that was made, by authorization's clock; undefined: none was made, or authorization keeps the time we named. */
  readonly holdExpiresAt?: Date | undefined;
  /** Set where only time stands in the way: from when on the same question may get another answer, by our clock. */
  readonly askAgainAt?: Date | undefined;
  /** The whole of it, as it came. */
  readonly record: Uint8Array;
}

/** Holds and payments in any of these states count as money held. */
export const HOLDING_STATES: readonly PaymentState[] = ['AUTHORIZED', 'PARTIALLY_CAPTURED'];

/** Where each step may start. Keyed by step, not by target: two steps can share a target. */
const STARTS_FROM = {
  authorize: ['INITIATED'],
  complete: ['INITIATED'],
  fail: ['INITIATED'],
  capture: ['AUTHORIZED', 'PARTIALLY_CAPTURED'],
  cancel: ['AUTHORIZED'],
  expire: ['AUTHORIZED', 'PARTIALLY_CAPTURED'],
  refund: ['COMPLETED', 'PARTIALLY_REFUNDED'],
} as const satisfies Record<string, readonly PaymentState[]>;

export type Step = keyof typeof STARTS_FROM;

/** The steps that callers ask for by name. */
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

/** A payment as a step left it, and the fact to announce. */
export interface Change {
  readonly payment: Payment;
  readonly event: {
    readonly type: EventType;
    readonly occurredAt: Date;
    /** What this step did to the balances: all of it. */
    readonly movements: readonly Movement[];
    /** The refund that it belongs to. */
    readonly refundId?: string;
    /** The trace of the request that caused it. */
    readonly traceparent: string;
  };
}

const INITIAL_VERSION = 1n;
/** The decision is always the first change. */
const DECIDED_VERSION = INITIAL_VERSION + 1n;

/** Starts a payment. `holdMs` is how long its money may be held if it is captured by hand and says nothing about it itself. */
export function initiate(
  order: Order,
  { id, origin, now, holdMs }: { id: string; origin: Origin; now: Date; holdMs: number },
): Change {
  const { holdSeconds, ...terms } = order;
  const heldForMs = holdSeconds === 0 ? holdMs : holdSeconds * 1_000;
  const payment: Payment = {
    ...terms,
    id,
    state: 'INITIATED',
    fromOwnerId: origin.caller.roles.includes('operator') ? undefined : origin.caller.id,
    toOwnerId: undefined,
    capturedMinor: 0n,
    releasedMinor: 0n,
    refundedMinor: 0n,
    failure: undefined,
    decision: undefined,
    holdExpiresAt: order.captureMode === 'MANUAL' ? new Date(now.getTime() + heldForMs) : undefined,
    version: INITIAL_VERSION,
    createdAt: now,
    updatedAt: now,
    origin,
  };
  const { traceparent } = origin;
  return { payment, event: { type: 'payment.initiated', occurredAt: now, movements: [], traceparent } };
}

/** Takes the step that authorization's answer to an INITIATED payment asks for. */
export function decide(payment: Payment, decision: Decision, now: Date): Change {
  if (decision.failure) return fail(payment, decision, decision.failure, now);
  return payment.captureMode === 'MANUAL'
    ? authorize(payment, decision, now)
    : complete(payment, decision, now);
}

/** The money is held, to be captured later. */
function authorize(payment: Payment, decision: Decision, now: Date): Change {
  requireStep(payment, 'authorize');
  const { fromOwnerId, toOwnerId, holdExpiresAt = payment.holdExpiresAt } = decision;
  return change(
    payment,
    { state: 'AUTHORIZED', fromOwnerId, toOwnerId, holdExpiresAt },
    'payment.authorized',
    decision,
    now,
  );
}

/** Authorized and captured in one: the money has moved. */
function complete(payment: Payment, decision: Decision, now: Date): Change {
  requireStep(payment, 'complete');
  const { fromOwnerId, toOwnerId } = decision;
  const capturedMinor = payment.amountMinor;
  return change(
    payment,
    { state: 'COMPLETED', capturedMinor, fromOwnerId, toOwnerId },
    'payment.completed',
    decision,
    now,
  );
}

/** Declined. The receiver never learns of it, so its owner is not kept. */
function fail(payment: Payment, decision: Decision, failure: Failure, now: Date): Change {
  requireStep(payment, 'fail');
  const { fromOwnerId } = decision;
  return change(payment, { state: 'FAILED', failure, fromOwnerId }, 'payment.failed', decision, now);
}

const WORDS: Record<Step, string> = {
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

/** Throws INVALID_STATE with the state and what it allows. */
export function requireStep(payment: Payment, step: Step): void {
  if (mayTake(payment, step)) return;
  const { state } = payment;
  const allowed = ACTIONS.filter((action) => mayTake(payment, action));
  throw new PaymentError('INVALID_STATE', `A payment that is ${state} cannot ${WORDS[step]}.`, {
    metadata: { state, allowed_actions: allowed.join(',') },
  });
}

function change(
  payment: Payment,
  difference: Partial<Payment>,
  type: EventType,
  { movements, record }: Decision,
  now: Date,
): Change {
  const changed = {
    ...payment,
    ...difference,
    decision: record,
    version: payment.version + 1n,
    updatedAt: now,
  };
  const { traceparent } = payment.origin;
  return { payment: changed, event: { type, occurredAt: now, movements, traceparent } };
}

/** The step that a payment took when it was decided, whatever has become of it since. */
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
 * The payment as its decision left it, whatever has become of it since: what its creation was first answered with. All that later
 * steps change follows from the decision. Of a payment that is INITIATED there is nothing to tell yet.
 */
export function asDecided(payment: Payment, decidedAt: Date): Payment {
  const { state } = decidedStep(payment);
  return {
    ...payment,
    state,
    capturedMinor: state === 'COMPLETED' ? payment.amountMinor : 0n,
    releasedMinor: 0n,
    refundedMinor: 0n,
    version: DECIDED_VERSION,
    updatedAt: decidedAt,
  };
}

/** A payer's account that isn't there, or isn't the caller's: the caller is told 404, and no trace of it is left to replay. */
export function isPayerUnknown(payment: Payment): boolean {
  return payment.failure?.code === 'FROM_ACCOUNT_NOT_FOUND';
}
