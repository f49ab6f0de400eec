/** The client of the authorization service. It translates payments to requests and responses to decisions, one for each item. */
import { status } from '@grpc/grpc-js';
import {
  type Caller,
  type Certificates,
  connectGrpc,
  failed,
  fromRpcStatus,
  type Neighbour,
  NeighbourError,
  ok,
  type Result,
} from '@payflowx/chassis';
import {
  AuthorizationServiceClient,
  type AuthorizationServiceService,
  type AuthorizeItem,
  type AuthorizeResult,
  type CaptureHoldRequest,
  DecidedStep,
  type Decision as DecisionMessage,
  type RefundTransferRequest,
  ReleaseCause,
  type ReleaseHoldRequest,
} from '@payflowx/proto/authorization';
import type { Operation } from '../domain/operation.ts';
import type { Order } from '../domain/order.ts';
import type { Decision, Payment } from '../domain/payment.ts';
import { toDecision } from '../messages/decision-message.ts';
import { CAPTURE_MODE_CODES } from '../messages/payment-message.ts';
import { ROLE_CODES } from '../messages/role-codes.ts';
import type { ClockWatch } from './clock-watch.ts';

export interface AuthorizeRequest {
  payment: Payment;
  /** The caller stops waiting for the decision at this time. */
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

/** Timeout of the call in milliseconds, and the time at which the caller stops waiting. */
export interface Wait {
  deadlineMs: number;
  deadline: Date;
}

export interface Authorization {
  /**
   * Decides on payments in one call, one result for each, in order. A repeated request for a payment returns its first decision.
   *
   * Rejects with NeighbourError if authorization is unavailable or did not respond within `deadlineMs`.
   */
  authorize(requests: readonly AuthorizeRequest[], deadlineMs: number): Promise<Result<Decision>[]>;
  /**
   * Decides on one step of an authorized payment, and applies it. A repeated request with the same operation id returns the first
   * decision. Rejects like authorize.
   */
  operate(request: OperateRequest, wait: Wait): Promise<Decision>;
  /** Returns the decision that a payment would get now. Rejects like authorize. */
  simulate(request: SimulateRequest, wait: Wait): Promise<Decision>;
  close(): void;
}

export function connectAuthorization(settings: {
  target: string;
  certificates: Certificates;
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
      const sentAt = clock.now();
      const request = toStep(operation, payment, wait.deadline);
      const { decision, expiresAt } = await callStep(neighbour, request, wait);
      const decided = toDecision(requireDecision(decision));
      const { decidedAt } = decision ?? {};
      if (!expiresAt || !decidedAt) return decided;
      // The step was too early and the decision was not stored. `expiresAt` is converted to our clock by its distance from
      // `decidedAt`.
      clock.compare(decidedAt, sentAt);
      const untilThenMs = expiresAt.getTime() - decidedAt.getTime();
      return { ...decided, retryAt: new Date(clock.now().getTime() + untilThenMs) };
    },
    async simulate(request, wait) {
      const { decision } = await neighbour.simulateAuthorization({ item: toSimulatedItem(request) }, wait);
      return toDecision(requireDecision(decision));
    },
    close: () => neighbour.close(),
  };
}

/** These calls are idempotent by their ids, or only read. */
const RETRYABLE = [
  'batchAuthorize',
  'captureHold',
  'releaseHold',
  'refundTransfer',
  'simulateAuthorization',
] as const;

type AuthorizationNeighbour = Neighbour<AuthorizationServiceService>;

function callStep(
  neighbour: AuthorizationNeighbour,
  request: StepMessage,
  wait: Wait,
): Promise<{ decision?: DecisionMessage | undefined; expiresAt?: Date | undefined }> {
  switch (request.$case) {
    case 'capture':
      return neighbour.captureHold(request.value, wait);
    case 'release':
      return neighbour.releaseHold(request.value, wait);
    case 'refund':
      return neighbour.refundTransfer(request.value, wait);
  }
}

/** The request of a step, in the form of DecidedStep. */
type StepMessage =
  | { $case: 'capture'; value: CaptureHoldRequest }
  | { $case: 'release'; value: ReleaseHoldRequest }
  | { $case: 'refund'; value: RefundTransferRequest };

function toStep(
  { id, paymentId, kind, amountMinor, takesRest, final }: Operation,
  { fromAccount, toAccount, currency }: Payment,
  deadline: Date | undefined,
): StepMessage {
  const step = { paymentId, operationId: id, deadline };
  switch (kind) {
    case 'CAPTURE':
      return { $case: 'capture', value: { ...step, amountMinor: takesRest ? 0n : amountMinor, final } };
    case 'CANCEL':
      return { $case: 'release', value: { ...step, cause: ReleaseCause.CANCEL } };
    case 'EXPIRE':
      return { $case: 'release', value: { ...step, cause: ReleaseCause.EXPIRY } };
    case 'REFUND': {
      // A refund transfers in the opposite direction of the payment.
      const way = { fromAccount: toAccount, toAccount: fromAccount };
      return { $case: 'refund', value: { ...step, ...way, amountMinor, currency } };
    }
  }
}

/** Encodes the decision about a payment with its request, to restore authorization's database. `payment` is as it was at its start. */
export function encodeDecidedPayment(payment: Payment, decision: Uint8Array): Uint8Array {
  const value = toItem({ payment, deadline: undefined });
  return DecidedStep.encode({
    request: { $case: 'authorize', value },
    decision: Buffer.from(decision),
  }).finish();
}

/** The same for a step of an authorized payment. */
export function encodeDecidedOperation(
  operation: Operation,
  payment: Payment,
  decision: Uint8Array,
): Uint8Array {
  const request = toStep(operation, payment, undefined);
  return DecidedStep.encode({ request, decision: Buffer.from(decision) }).finish();
}

function requireDecision(decision: DecisionMessage | undefined): DecisionMessage {
  if (!decision) throw new Error('The response of authorization has no decision.');
  return decision;
}

/** Errors of the whole call and not of one item. Smaller batches would not help. */
const WHOLE_CALL_CODES: readonly status[] = [
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
  status.UNAUTHENTICATED,
  status.PERMISSION_DENIED,
  status.UNIMPLEMENTED,
];

/** True if one item of the call may have caused its failure. */
export function isItemError(error: unknown): boolean {
  return !(error instanceof NeighbourError) || !WHOLE_CALL_CODES.includes(error.code);
}

/** True if the caller has used up its quota. */
export function isTooMany(error: unknown): error is NeighbourError {
  return error instanceof NeighbourError && error.reason === 'TOO_MANY_REQUESTS';
}

/** True if authorization was unavailable or did not respond in time. */
export function isUnavailable(error: unknown): boolean {
  if (!(error instanceof NeighbourError)) return false;
  return error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED;
}

/** True if a row that the decision needs is locked. Nothing was decided, and a retry a little later may succeed. */
export function isBusy(error: unknown): boolean {
  return error instanceof NeighbourError && error.reason === 'ACCOUNT_BUSY';
}

function toItem({ payment, deadline }: { payment: Payment; deadline: Date | undefined }): AuthorizeItem {
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
    // For an undecided payment this is the requested time.
    holdSeconds: holdExpiresAt ? Math.round((holdExpiresAt.getTime() - createdAt.getTime()) / 1_000) : 0,
    traceparent,
    deadline,
    description: payment.description,
    reference: payment.reference,
    metadata: payment.metadata,
    mandateId: payment.mandateId ?? '',
  };
}

function toSimulatedItem({ order, caller }: SimulateRequest): AuthorizeItem {
  const { fromAccount, toAccount, amountMinor, currency, captureMode } = order;
  const { description, reference, metadata, mandateId = '' } = order;
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
    mandateId,
  };
}

function toResult({ result }: AuthorizeResult): Result<Decision> {
  try {
    if (result?.$case === 'decision') return ok(toDecision(result.value));
    if (result?.$case === 'error') return failed(fromRpcStatus(result.value));
    return failed(new Error('A result of authorization has neither a decision nor an error.'));
  } catch (error) {
    // A malformed result must not fail the other results of the batch.
    return failed(error);
  }
}
