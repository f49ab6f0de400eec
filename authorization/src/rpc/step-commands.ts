/** Converts steps of payments from the contract's messages to the types of this service. */
import { limitsOf } from '@payflowx/chassis';
import { Role as RoleMessage } from '@payflowx/proto/auth';
import {
  type AuthorizeItem,
  type CaptureHoldRequest,
  CaptureMode,
  type RefundTransferRequest,
  ReleaseCause,
  type ReleaseHoldRequest,
} from '@payflowx/proto/authorization';
import type { Command } from '../app/decide-steps.ts';
import { isId } from '../domain/ids.ts';
import { isPayable, MAX_MINOR } from '../domain/money.ts';
import type { PaymentRequest, ReleaseRequest, Role, StepKey } from '../domain/step-request.ts';
import { collectViolations, requireText, type Violations } from './violations.ts';

const checkItem = limitsOf('payflowx.authorization.v1.AuthorizeItem');

/**
 * `aheadMs`: milliseconds by which this service's clock is ahead of the caller's. Throws INVALID_ARGUMENT with all violations.
 */
export function toAuthorizeCommand(item: AuthorizeItem, aheadMs: number): Command {
  checkItem(item);
  const violations = collectViolations();
  requireStep(violations, item);
  requirePayment(violations, item);
  violations.throwIfAny();
  const deadline = item.deadline && new Date(item.deadline.getTime() + aheadMs);
  return { request: toPaymentRequest(item), deadline };
}

/**
 * Converts the payment of a simulation. Without an id of its own it gets `newPaymentId`, so that rules see an id as in a real
 * payment. Throws INVALID_ARGUMENT.
 */
export function toSimulatedPayment(item: AuthorizeItem | undefined, newPaymentId: string): PaymentRequest {
  const violations = collectViolations();
  violations.require(item !== undefined, 'item', 'must be given');
  if (item) requirePayment(violations, item, 'item.');
  violations.throwIfAny();
  const request = toPaymentRequest(item as AuthorizeItem);
  return { ...request, paymentId: request.paymentId || newPaymentId };
}

/** Throws INVALID_ARGUMENT with all violations. */
export function toCaptureCommand(request: CaptureHoldRequest, deadline: Date): Command {
  const { paymentId, operationId, amountMinor: amount, final } = request;
  const violations = collectViolations();
  requireStep(violations, request);
  violations.require(
    amount >= 0n && amount <= MAX_MINOR,
    'amount_minor',
    'must be 1 to 9,007,199,254,740,991 minor units, or 0 for all that is held',
  );
  violations.throwIfAny();
  return { request: { kind: 'CAPTURE', paymentId, operationId, amount, final }, deadline };
}

const CAUSES = new Map<ReleaseCause, ReleaseRequest['cause']>([
  [ReleaseCause.CANCEL, 'CANCEL'],
  [ReleaseCause.EXPIRY, 'EXPIRY'],
]);

/** Throws INVALID_ARGUMENT with all violations. */
export function toReleaseCommand(request: ReleaseHoldRequest, deadline: Date): Command {
  const { paymentId, operationId } = request;
  const cause = CAUSES.get(request.cause);
  const violations = collectViolations();
  requireStep(violations, request);
  violations.require(cause !== undefined, 'cause', 'must be CANCEL or EXPIRY');
  violations.throwIfAny();
  return { request: { kind: 'RELEASE', paymentId, operationId, cause: cause ?? 'CANCEL' }, deadline };
}

/** Throws INVALID_ARGUMENT with all violations. */
export function toRefundCommand(request: RefundTransferRequest, deadline: Date): Command {
  const { paymentId, operationId, fromAccount, toAccount, currency } = request;
  const violations = collectViolations();
  requireStep(violations, request);
  requireTransfer(violations, request);
  violations.throwIfAny();
  const amount = request.amountMinor;
  return {
    request: { kind: 'REFUND', paymentId, operationId, fromAccount, toAccount, amount, currency },
    deadline,
  };
}

function toPaymentRequest(item: AuthorizeItem): PaymentRequest {
  return {
    kind: 'AUTHORIZE',
    paymentId: item.paymentId,
    operationId: item.operationId,
    fromAccount: item.fromAccount,
    toAccount: item.toAccount,
    amount: item.amountMinor,
    currency: item.currency,
    captureMode: CAPTURE_MODES.get(item.captureMode) ?? 'AUTOMATIC',
    callerId: item.callerId,
    callerRoles: item.callerRoles.flatMap((role) => ROLES.get(role) ?? []),
    holdSeconds: item.holdSeconds,
    holdExpiresAt: item.holdExpiresAt,
    description: item.description,
    reference: item.reference,
    metadata: item.metadata,
  };
}

const CAPTURE_MODES = new Map<CaptureMode, PaymentRequest['captureMode']>([
  [CaptureMode.AUTOMATIC, 'AUTOMATIC'],
  [CaptureMode.MANUAL, 'MANUAL'],
]);

const ROLES = new Map<RoleMessage, Role>([
  [RoleMessage.CUSTOMER, 'customer'],
  [RoleMessage.OPERATOR, 'operator'],
  [RoleMessage.AUDITOR, 'auditor'],
  [RoleMessage.ADMIN, 'admin'],
  [RoleMessage.SERVICE, 'service'],
]);

const ID_RULE = 'must be 1 to 64 visible ASCII characters';

function requireStep(violations: Violations, { paymentId, operationId }: StepKey): void {
  violations.require(isId(paymentId), 'payment_id', ID_RULE);
  violations.require(isId(operationId), 'operation_id', ID_RULE);
}

type TransferMessage = Pick<AuthorizeItem, 'fromAccount' | 'toAccount' | 'amountMinor' | 'currency'>;

function requireTransfer(violations: Violations, transfer: TransferMessage, path = ''): void {
  const { fromAccount, toAccount, amountMinor, currency } = transfer;
  violations.require(isId(fromAccount), `${path}from_account`, ID_RULE);
  violations.require(isId(toAccount), `${path}to_account`, ID_RULE);
  violations.require(fromAccount !== toAccount, `${path}to_account`, 'must differ from from_account');
  const amountRule = 'must be 1 to 9,007,199,254,740,991 minor units';
  violations.require(isPayable(amountMinor), `${path}amount_minor`, amountRule);
  violations.require(/^[A-Z]{3}$/.test(currency), `${path}currency`, 'must be three capital letters');
}

function requirePayment(violations: Violations, item: AuthorizeItem, path = ''): void {
  requireTransfer(violations, item, path);
  const modeRule = 'must be AUTOMATIC or MANUAL';
  violations.require(CAPTURE_MODES.has(item.captureMode), `${path}capture_mode`, modeRule);
  violations.require(isId(item.callerId), `${path}caller_id`, ID_RULE);
  const isHoldTime = item.holdSeconds >= 0 && item.holdSeconds <= MAX_HOLD_SECONDS;
  violations.require(isHoldTime, `${path}hold_seconds`, `must be 1 to ${MAX_HOLD_SECONDS}, or 0`);
  requireText(violations, `${path}description`, item.description, 500);
  requireText(violations, `${path}reference`, item.reference, 100);
  requireMetadata(violations, item.metadata, path);
}

const MAX_PAIRS = 20;
/** 30 days. */
const MAX_HOLD_SECONDS = 2_592_000;

/** The same limits as in the payment service. Together they limit the bytes stored per decision and read by a rule. */
function requireMetadata(violations: Violations, metadata: AuthorizeItem['metadata'], path: string): void {
  const pairs = Object.entries(metadata);
  violations.require(pairs.length <= MAX_PAIRS, `${path}metadata`, `must have at most ${MAX_PAIRS} pairs`);
  for (const [key, value] of pairs) {
    requireText(violations, `${path}metadata`, key, 40);
    requireText(violations, `${path}metadata`, value, 500);
  }
}
