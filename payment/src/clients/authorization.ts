/** The authorization service in our own words: payments go in, decisions come out, each by itself. */
import { status } from '@grpc/grpc-js';
import {
  connectGrpc,
  failed,
  fromRpcStatus,
  type Neighbour,
  NeighbourError,
  ok,
  type Result,
} from '@payflowx/chassis';
import { Role } from '@payflowx/proto/auth';
import {
  AuthorizationServiceClient,
  type AuthorizationServiceService,
  type AuthorizeItem,
  type AuthorizeResult,
  Decision as DecisionMessage,
  MovementKind,
  Outcome,
  ReleaseCause,
} from '@payflowx/proto/authorization';
import type { Operation } from '../domain/operation.ts';
import type { Order } from '../domain/order.ts';
import type { Caller, Decision, Movement, Payment } from '../domain/payment.ts';
import { CAPTURE_MODE_CODES } from '../messages/payment-message.ts';
import type { ClockWatch } from './clock-watch.ts';

export interface AuthorizeRequest {
  payment: Payment;
  /** Past this nobody waits for the decision. */
  deadline: Date;
}

export interface OperateRequest {
  operation: Operation;
  payment: Payment;
}

export interface SimulateRequest {
  order: Order;
  caller: Caller;
}

/** The longest that the call may take, and when nobody waits for it any more. */
export interface Wait {
  deadlineMs: number;
  deadline: Date;
}

export interface Authorization {
  /**
   * Decides on payments in one call, one result each, in order. Asking again for a payment gives its first decision again.
   * Rejects with NeighbourError if authorization could not be asked or did not answer within `deadlineMs`.
   */
  authorize(requests: readonly AuthorizeRequest[], deadlineMs: number): Promise<Result<Decision>[]>;
  /** Decides on one step of an authorized payment, and takes it. Asking again, by the same operation, gives the first decision again. Rejects as authorize. */
  operate(request: OperateRequest, wait: Wait): Promise<Decision>;
  /** What would be decided on a payment now. Rejects as authorize. */
  simulate(request: SimulateRequest, wait: Wait): Promise<Decision>;
  close(): void;
}

export function connectAuthorization(settings: {
  target: string;
  token: () => Promise<string>;
  clock: ClockWatch;
}): Authorization {
  const { clock } = settings;
  const neighbour = connectGrpc(AuthorizationServiceClient, { ...settings, retryable: RETRYABLE });
  return {
    async authorize(requests, deadlineMs) {
      const sentAt = clock.now();
      const request = { items: requests.map(toItem), sentAt };
      const { results, answeredAt } = await neighbour.batchAuthorize(request, { deadlineMs });
      if (answeredAt) clock.compare(answeredAt, sentAt);
      return results.map(toResult);
    },
    async operate({ operation, payment }, wait) {
      const step = { paymentId: payment.id, operationId: operation.id, deadline: wait.deadline };
      const sentAt = clock.now();
      const { decision, expiresAt } = await ask(neighbour, step, operation, payment, wait);
      const decided = toDecision(requireDecision(decision));
      const { decidedAt } = decision ?? {};
      if (!expiresAt || !decidedAt) return decided;
      // It was too early, and is not kept: the decision is of this moment. The time named is as far from it by our clock.
      clock.compare(decidedAt, sentAt);
      const untilThenMs = expiresAt.getTime() - decidedAt.getTime();
      return { ...decided, askAgainAt: new Date(clock.now().getTime() + untilThenMs) };
    },
    async simulate(request, wait) {
      const { decision } = await neighbour.simulateAuthorization({ item: toSimulatedItem(request) }, wait);
      return toDecision(requireDecision(decision));
    },
    close: () => neighbour.close(),
  };
}

/** All of them carry ids that make them idempotent, or read. */
const RETRYABLE = [
  'batchAuthorize',
  'captureHold',
  'releaseHold',
  'refundTransfer',
  'simulateAuthorization',
] as const;

type AuthorizationNeighbour = Neighbour<AuthorizationServiceService>;

function ask(
  neighbour: AuthorizationNeighbour,
  step: { paymentId: string; operationId: string; deadline: Date },
  { kind, amountMinor, takesRest, final }: Operation,
  { fromAccount, toAccount, currency }: Payment,
  wait: Wait,
): Promise<{ decision?: DecisionMessage | undefined; expiresAt?: Date | undefined }> {
  switch (kind) {
    case 'CAPTURE':
      return neighbour.captureHold({ ...step, amountMinor: takesRest ? 0n : amountMinor, final }, wait);
    case 'CANCEL':
      return neighbour.releaseHold({ ...step, cause: ReleaseCause.CANCEL }, wait);
    case 'EXPIRE':
      return neighbour.releaseHold({ ...step, cause: ReleaseCause.EXPIRY }, wait);
    case 'REFUND': {
      // The money goes back the way it came.
      const way = { fromAccount: toAccount, toAccount: fromAccount };
      return neighbour.refundTransfer({ ...step, ...way, amountMinor, currency }, wait);
    }
  }
}

function requireDecision(decision: DecisionMessage | undefined): DecisionMessage {
  if (!decision) throw new Error('Authorization answered without a decision.');
  return decision;
}

/** Of the whole call, not of what it asks: it is not better asked in parts. */
const NOT_ABOUT_AN_ITEM: readonly status[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.UNIMPLEMENTED,
];

/** Whether a call that failed may have failed because of one item that it carried. */
export function isAboutAnItem(error: unknown): boolean {
  return !(error instanceof NeighbourError) || !NOT_ABOUT_AN_ITEM.includes(error.code);
}

/** Whether an error means that nobody was there to decide, or not in time. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof NeighbourError)) return false;
  return error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED;
}

/** Whether an error means that somebody has a row locked which the decision needs. Nothing was decided; a little later it may be. */
export function isBusy(error: unknown): boolean {
  return error instanceof NeighbourError && error.reason === 'ACCOUNT_BUSY';
}

const ROLE_CODES = {
  customer: Role.CUSTOMER,
  operator: Role.OPERATOR,
  auditor: Role.AUDITOR,
  service: Role.SERVICE,
} as const satisfies Record<Caller['roles'][number], Role>;

function toItem({ payment, deadline }: AuthorizeRequest): AuthorizeItem {
  const { caller, traceparent } = payment.origin;
  const { holdExpiresAt, createdAt } = payment;
  return {
    paymentId: payment.id,
    operationId: payment.id,
    fromAccount: payment.fromAccount,
    toAccount: payment.toAccount,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    captureMode: CAPTURE_MODE_CODES[payment.captureMode],
    callerId: caller.id,
    callerRoles: caller.roles.map((role) => ROLE_CODES[role]),
    holdExpiresAt,
    // Of a payment that is not decided yet: what was asked for.
    holdSeconds: holdExpiresAt ? Math.round((holdExpiresAt.getTime() - createdAt.getTime()) / 1_000) : 0,
    traceparent,
    deadline,
    description: payment.description,
    reference: payment.reference,
    metadata: payment.metadata,
  };
}

function toSimulatedItem({ order, caller }: SimulateRequest): AuthorizeItem {
  const { fromAccount, toAccount, amountMinor, currency, captureMode, description, reference, metadata } =
    order;
  return {
    paymentId: '',
    operationId: '',
    fromAccount,
    toAccount,
    amountMinor,
    currency,
    captureMode: CAPTURE_MODE_CODES[captureMode],
    callerId: caller.id,
    callerRoles: caller.roles.map((role) => ROLE_CODES[role]),
    holdExpiresAt: undefined,
    holdSeconds: 0,
    traceparent: '',
    deadline: undefined,
    description,
    reference,
    metadata,
  };
}

function toResult({ result }: AuthorizeResult): Result<Decision> {
  try {
    if (result?.$case === 'decision') return ok(toDecision(result.value));
    if (result?.$case === 'error') return failed(fromRpcStatus(result.value));
    return failed(new Error('Authorization answered with neither a decision nor an error.'));
  } catch (error) {
    // One answer that we do not understand must not take its neighbours' with it.
    return failed(error);
  }
}

function toDecision(message: DecisionMessage): Decision {
  const { outcome, code, fromOwnerId, toOwnerId } = message;
  if (outcome === Outcome.UNSPECIFIED) throw new Error('Authorization neither approved nor declined.');
  return {
    failure: outcome === Outcome.APPROVED ? undefined : { code, message: message.message },
    movements: message.movements.map(({ kind, ...movement }) => ({
      ...movement,
      kind: toMovementKind(kind),
    })),
    fromOwnerId: fromOwnerId || undefined,
    toOwnerId: toOwnerId || undefined,
    holdExpiresAt: message.holdExpiresAt,
    record: DecisionMessage.encode(message).finish(),
  };
}

function toMovementKind(kind: MovementKind): Movement['kind'] {
  switch (kind) {
    case MovementKind.HOLD:
      return 'HOLD';
    case MovementKind.RELEASE:
      return 'RELEASE';
    case MovementKind.TRANSFER:
      return 'TRANSFER';
    default:
      throw new Error(`Authorization moved money in a way that we do not know: ${kind}.`);
  }
}
