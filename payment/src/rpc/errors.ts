/** The gRPC code of each reason. The compiler reports a reason that is missing here. */
import { status } from '@grpc/grpc-js';
import { errorTable } from '@payflowx/chassis';
import { PaymentError } from '../domain/errors.ts';

export const errors = errorTable('payment', PaymentError, {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  SAME_ACCOUNT: status.FAILED_PRECONDITION,
  IDEMPOTENCY_KEY_REQUIRED: status.INVALID_ARGUMENT,
  IDEMPOTENCY_KEY_REUSED: status.FAILED_PRECONDITION,
  IDEMPOTENCY_IN_PROGRESS: status.ABORTED,
  FROM_ACCOUNT_NOT_FOUND: status.NOT_FOUND,
  MANDATE_NOT_FOUND: status.NOT_FOUND,
  PAYMENT_NOT_FOUND: status.NOT_FOUND,
  CAPTURE_NOT_FOUND: status.NOT_FOUND,
  REFUND_NOT_FOUND: status.NOT_FOUND,
  ACTION_NOT_ALLOWED: status.PERMISSION_DENIED,
  OWN_ACCOUNT: status.PERMISSION_DENIED,
  INVALID_STATE: status.FAILED_PRECONDITION,
  CAPTURE_EXCEEDS_AUTHORIZED: status.FAILED_PRECONDITION,
  REFUND_EXCEEDS_CAPTURED: status.FAILED_PRECONDITION,
  TO_ACCOUNT_NOT_ACTIVE: status.FAILED_PRECONDITION,
  TO_ACCOUNT_CLOSED: status.FAILED_PRECONDITION,
  AUTHORIZATION_UNAVAILABLE: status.UNAVAILABLE,
});
