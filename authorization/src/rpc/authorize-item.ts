/** An item of BatchAuthorize in our own words. */
import { Role as RoleMessage } from '@payflowx/proto/auth';
import { type AuthorizeItem, CaptureMode } from '@payflowx/proto/authorization';
import type { AuthorizeCommand } from '../app/authorize-batch.ts';
import type { PaymentRequest, Role } from '../domain/decision.ts';
import { isId } from '../domain/ids.ts';
import { isPayable } from '../domain/money.ts';
import { collectViolations } from './violations.ts';

/** Throws INVALID_ARGUMENT with everything that is wrong with the item. */
export function toAuthorizeCommand(item: AuthorizeItem): AuthorizeCommand {
  requireValid(item);
  return {
    request: {
      paymentId: item.paymentId,
      operationId: item.operationId,
      fromAccount: item.fromAccount,
      toAccount: item.toAccount,
      amount: item.amountMinor,
      currency: item.currency,
      captureMode: CAPTURE_MODES.get(item.captureMode) ?? 'AUTOMATIC',
      callerId: item.callerId,
      callerRoles: item.callerRoles.flatMap((role) => ROLES.get(role) ?? []),
      holdExpiresAt: item.holdExpiresAt,
    },
    deadline: item.deadline,
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
  [RoleMessage.SERVICE, 'service'],
]);

function requireValid(item: AuthorizeItem): void {
  const violations = collectViolations();
  const id = 'must be 1 to 64 visible ASCII characters';
  violations.require(isId(item.paymentId), 'payment_id', id);
  violations.require(isId(item.operationId), 'operation_id', id);
  violations.require(isId(item.fromAccount), 'from_account', id);
  violations.require(isId(item.toAccount), 'to_account', id);
  violations.require(item.fromAccount !== item.toAccount, 'to_account', 'must differ from from_account');
  violations.require(
    isPayable(item.amountMinor),
    'amount_minor',
    'must be 1 to 9,007,199,254,740,991 minor units',
  );
  violations.require(/^[A-Z]{3}$/.test(item.currency), 'currency', 'must be three capital letters');
  violations.require(CAPTURE_MODES.has(item.captureMode), 'capture_mode', 'must be AUTOMATIC or MANUAL');
  violations.require(isId(item.callerId), 'caller_id', id);
  violations.throwIfAny();
}
