/**
 * Payments and refunds as the REST API shows them. The gateway answers with this form, and webhooks carry it. Amounts are bigint: the
 * sender writes them as integers.
 */
import type { Decision } from '../gen/payflowx/authorization/v1/authorization.ts';
import { CaptureMode, Outcome } from '../gen/payflowx/authorization/v1/authorization.ts';
import {
  type Capture,
  CaptureBy,
  CaptureState,
  type Failure,
  type Payment,
  PaymentKind,
  type PaymentNotes,
  PaymentState,
  type PaymentTotals,
  type Refund,
  RefundState,
} from '../gen/payflowx/payment/v1/payment.ts';
import { mayPassLater } from './declines.ts';

export const PAYMENT_STATE_NAMES = {
  [PaymentState.INITIATED]: 'INITIATED',
  [PaymentState.AUTHORIZED]: 'AUTHORIZED',
  [PaymentState.PARTIALLY_CAPTURED]: 'PARTIALLY_CAPTURED',
  [PaymentState.COMPLETED]: 'COMPLETED',
  [PaymentState.FAILED]: 'FAILED',
  [PaymentState.CANCELLED]: 'CANCELLED',
  [PaymentState.EXPIRED]: 'EXPIRED',
  [PaymentState.PARTIALLY_REFUNDED]: 'PARTIALLY_REFUNDED',
  [PaymentState.REFUNDED]: 'REFUNDED',
} as const;

export const PAYMENT_KIND_NAMES = {
  [PaymentKind.PAYMENT]: 'payment',
  [PaymentKind.DEPOSIT]: 'deposit',
  [PaymentKind.WITHDRAWAL]: 'withdrawal',
} as const;

export const CAPTURE_NAMES = {
  [CaptureMode.AUTOMATIC]: 'automatic',
  [CaptureMode.MANUAL]: 'manual',
} as const;

/** The default is not in the message. */
export const CAPTURE_BY_NAMES = {
  [CaptureBy.UNSPECIFIED]: 'payer',
  [CaptureBy.PAYEE]: 'payee',
} as const;

export const REFUND_STATE_NAMES = {
  [RefundState.PENDING]: 'PENDING',
  [RefundState.COMPLETED]: 'COMPLETED',
  [RefundState.FAILED]: 'FAILED',
} as const;

export const CAPTURE_STATE_NAMES = {
  [CaptureState.PENDING]: 'PENDING',
  [CaptureState.COMPLETED]: 'COMPLETED',
  [CaptureState.FAILED]: 'FAILED',
} as const;

export const OUTCOME_NAMES = {
  [Outcome.APPROVED]: 'approved',
  [Outcome.DECLINED]: 'declined',
} as const;

export function paymentJson(payment: Payment) {
  const { decision } = payment;
  return {
    id: payment.id,
    kind: nameIn(PAYMENT_KIND_NAMES, payment.kind),
    state: nameIn(PAYMENT_STATE_NAMES, payment.state),
    from_account: payment.fromAccount,
    to_account: payment.toAccount,
    amount: payment.amountMinor,
    currency: payment.currency,
    amount_captured: payment.capturedMinor,
    amount_refunded: payment.refundedMinor,
    capture: nameIn(CAPTURE_NAMES, payment.captureMode),
    capture_by: nameIn(CAPTURE_BY_NAMES, payment.captureBy),
    description: emptyAsNull(payment.description),
    reference: emptyAsNull(payment.reference),
    metadata: payment.metadata,
    mandate_id: emptyAsNull(payment.mandateId),
    payee_notes: notesJson(payment.payeeNotes),
    failure: failureJson(payment.failure),
    decision: decision ? decisionJson(decision) : null,
    expires_at: nullableTime(payment.expiresAt),
    completed_at: nullableTime(payment.completedAt),
    cancelled_at: nullableTime(payment.cancelledAt),
    expired_at: nullableTime(payment.expiredAt),
    version: payment.version,
    created_at: time(payment.createdAt),
    updated_at: time(payment.updatedAt),
    client_id: emptyAsNull(payment.clientId),
  };
}

export function refundJson(refund: Refund) {
  return {
    id: refund.id,
    payment_id: refund.paymentId,
    state: nameIn(REFUND_STATE_NAMES, refund.state),
    amount: refund.amountMinor,
    currency: refund.currency,
    reason: emptyAsNull(refund.reason),
    reference: emptyAsNull(refund.reference),
    metadata: refund.metadata,
    failure: failureJson(refund.failure),
    payment: totalsJson(refund.payment),
    created_at: time(refund.createdAt),
    updated_at: time(refund.updatedAt),
    client_id: emptyAsNull(refund.clientId),
  };
}

export function captureJson(capture: Capture) {
  return {
    id: capture.id,
    payment_id: capture.paymentId,
    state: nameIn(CAPTURE_STATE_NAMES, capture.state),
    amount: capture.amountMinor,
    currency: capture.currency,
    final: capture.final,
    reference: emptyAsNull(capture.reference),
    metadata: capture.metadata,
    failure: failureJson(capture.failure),
    payment: totalsJson(capture.payment),
    created_at: time(capture.createdAt),
    updated_at: time(capture.updatedAt),
    client_id: emptyAsNull(capture.clientId),
  };
}

/** Null in responses that were stored before they had totals. */
function totalsJson(totals: PaymentTotals | undefined) {
  if (!totals) return null;
  const { state, capturedMinor, refundedMinor } = totals;
  return {
    state: nameIn(PAYMENT_STATE_NAMES, state),
    amount_captured: capturedMinor,
    amount_refunded: refundedMinor,
  };
}

/** Leaves out movements and owners: the ledger shows the movements, and only notifications need the owners. */
export function decisionJson({ outcome, code, message, limit, checks, decidedAt }: Decision) {
  return {
    outcome: nameIn(OUTCOME_NAMES, outcome),
    code: emptyAsNull(code),
    message: emptyAsNull(message),
    limit: limit ? { limit: limit.limit, used: limit.used, resets_at: nullableTime(limit.resetsAt) } : null,
    checks: checks.map(({ name, passed, inputs }) => ({ name, passed, inputs })),
    decided_at: time(decidedAt),
  };
}

function notesJson(notes: PaymentNotes | undefined) {
  return notes ? { reference: emptyAsNull(notes.reference), metadata: notes.metadata } : null;
}

function failureJson(failure: Failure | undefined) {
  if (!failure) return null;
  const { code, message } = failure;
  return { code, message, retryable: mayPassLater(code) };
}

/** A number without a name is one that no client may see. A service that sends it has a bug. */
function nameIn<T extends Record<number, string>>(names: T, number: number): T[keyof T] {
  const name = names[number];
  if (name === undefined) throw new Error(`Unknown enum number ${number} in a payment`);
  return name as T[keyof T];
}

/** RFC 3339 UTC with milliseconds. A missing time that the contract promises is a bug of the other service. */
function time(date: Date | undefined): string {
  if (date === undefined) throw new Error('A payment has no time in a required field.');
  return date.toISOString();
}

const nullableTime = (date: Date | undefined): string | null => date?.toISOString() ?? null;

/** proto3 has no null: an empty string means that there is no value. */
const emptyAsNull = (value: string): string | null => (value === '' ? null : value);
