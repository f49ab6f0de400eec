/** Converts steps of payments from the contract's messages to the types of this service. */
import { collectViolations, limitsOf, type Violations } from '@payflowx/chassis';
import { requireMetadata } from '@payflowx/chassis/metadata';
import type {
  AuthorizeItem,
  CaptureHoldRequest,
  RefundTransferRequest,
  ReleaseHoldRequest,
} from '@payflowx/proto/authorization';
import type { Command } from '../app/decide-steps.ts';
import { invalid } from '../domain/errors.ts';
import { isId } from '../domain/ids.ts';
import { isPayable, MAX_MINOR } from '../domain/money.ts';
import type { PaymentRequest, StepKey } from '../domain/step-request.ts';
import {
  CAPTURE_MODES,
  CAUSES,
  toCaptureRequest,
  toPaymentRequest,
  toRefundRequest,
} from '../messages/step-message.ts';

const checkItem = limitsOf('payflowx.authorization.v1.AuthorizeItem');

/**
 * `aheadMs`: milliseconds by which this service's clock is ahead of the caller's. Throws INVALID_ARGUMENT with all violations.
 */
export function toAuthorizeCommand(item: AuthorizeItem, aheadMs: number): Command {
  checkItem(item);
  const violations = collectViolations(invalid);
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
  const violations = collectViolations(invalid);
  violations.require(item !== undefined, 'item', 'must be given');
  if (item) requirePayment(violations, item, 'item.');
  violations.throwIfAny();
  const request = toPaymentRequest(item as AuthorizeItem);
  return { ...request, paymentId: request.paymentId || newPaymentId };
}

/** Throws INVALID_ARGUMENT with all violations. */
export function toCaptureCommand(request: CaptureHoldRequest, deadline: Date): Command {
  const { amountMinor: amount } = request;
  const violations = collectViolations(invalid);
  requireStep(violations, request);
  violations.require(
    amount >= 0n && amount <= MAX_MINOR,
    'amount_minor',
    'must be 1 to 9,007,199,254,740,991 minor units, or 0 for all that is held',
  );
  violations.throwIfAny();
  return { request: toCaptureRequest(request), deadline };
}

/** Throws INVALID_ARGUMENT with all violations. */
export function toReleaseCommand(request: ReleaseHoldRequest, deadline: Date): Command {
  const { paymentId, operationId } = request;
  const cause = CAUSES.get(request.cause);
  const violations = collectViolations(invalid);
  requireStep(violations, request);
  violations.require(cause !== undefined, 'cause', 'must be CANCEL or EXPIRY');
  violations.throwIfAny();
  return { request: { kind: 'RELEASE', paymentId, operationId, cause: cause ?? 'CANCEL' }, deadline };
}

/** Throws INVALID_ARGUMENT with all violations. */
export function toRefundCommand(request: RefundTransferRequest, deadline: Date): Command {
  const violations = collectViolations(invalid);
  requireStep(violations, request);
  requireTransfer(violations, request);
  violations.throwIfAny();
  return { request: toRefundRequest(request), deadline };
}

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
  violations.requireText(`${path}description`, item.description, 500);
  violations.requireText(`${path}reference`, item.reference, 100);
  requireMetadata(violations, item.metadata, path);
  violations.require(item.mandateId === '' || isId(item.mandateId), `${path}mandate_id`, ID_RULE);
}

/** 30 days. */
const MAX_HOLD_SECONDS = 2_592_000;
