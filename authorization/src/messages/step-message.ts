/** Converts requests from the contract's messages to the types of this service. The values were checked before, or are checked after. */
import type { RoleName } from '@payflowx/chassis';
import { Role as RoleMessage } from '@payflowx/proto/auth';
import {
  type AuthorizeItem,
  type CaptureHoldRequest,
  CaptureMode,
  type RefundTransferRequest,
  ReleaseCause,
} from '@payflowx/proto/authorization';
import type {
  CaptureRequest,
  PaymentRequest,
  RefundRequest,
  ReleaseRequest,
} from '../domain/step-request.ts';

export function toPaymentRequest(item: AuthorizeItem): PaymentRequest {
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
    callerRoles: rolesOf(item),
    holdSeconds: item.holdSeconds,
    holdExpiresAt: item.holdExpiresAt,
    description: item.description,
    reference: item.reference,
    metadata: item.metadata,
    mandateId: item.mandateId || undefined,
  };
}

/** Without UNSPECIFIED. */
export const CAPTURE_MODES = new Map<CaptureMode, PaymentRequest['captureMode']>([
  [CaptureMode.AUTOMATIC, 'AUTOMATIC'],
  [CaptureMode.MANUAL, 'MANUAL'],
]);

const ROLES = new Map<RoleMessage, RoleName>([
  [RoleMessage.CUSTOMER, 'customer'],
  [RoleMessage.OPERATOR, 'operator'],
  [RoleMessage.AUDITOR, 'auditor'],
  [RoleMessage.ADMIN, 'admin'],
]);

/** Unknown roles are left out. */
export function rolesOf({ callerRoles }: Pick<AuthorizeItem, 'callerRoles'>): RoleName[] {
  return callerRoles.flatMap((role) => ROLES.get(role) ?? []);
}

/** Without UNSPECIFIED. */
export const CAUSES = new Map<ReleaseCause, ReleaseRequest['cause']>([
  [ReleaseCause.CANCEL, 'CANCEL'],
  [ReleaseCause.EXPIRY, 'EXPIRY'],
]);

export function toCaptureRequest({
  paymentId,
  operationId,
  amountMinor: amount,
  final,
}: CaptureHoldRequest): CaptureRequest {
  return { kind: 'CAPTURE', paymentId, operationId, amount, final };
}

export function toRefundRequest(request: RefundTransferRequest): RefundRequest {
  const { paymentId, operationId, fromAccount, toAccount, currency, amountMinor: amount } = request;
  return { kind: 'REFUND', paymentId, operationId, fromAccount, toAccount, amount, currency };
}
