/** The errors of this service. The list is closed: rpc/errors.ts must give each reason its gRPC code. */
import { ReasonedError, type Violation } from '@payflowx/chassis/errors';

export type Reason =
  | 'INVALID_ARGUMENT'
  | 'SAME_ACCOUNT'
  | 'IDEMPOTENCY_KEY_REQUIRED'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'IDEMPOTENCY_IN_PROGRESS'
  | 'FROM_ACCOUNT_NOT_FOUND'
  | 'MANDATE_NOT_FOUND'
  | 'ACCOUNT_NOT_FOUND'
  | 'PAYMENT_NOT_FOUND'
  | 'CAPTURE_NOT_FOUND'
  | 'REFUND_NOT_FOUND'
  | 'ACTION_NOT_ALLOWED'
  | 'OWN_ACCOUNT'
  | 'INVALID_STATE'
  | 'CAPTURE_EXCEEDS_AUTHORIZED'
  | 'REFUND_EXCEEDS_CAPTURED'
  | 'TO_ACCOUNT_NOT_ACTIVE'
  | 'TO_ACCOUNT_CLOSED'
  | 'TOO_MANY_HOLDS'
  | 'AUTHORIZATION_UNAVAILABLE';

export class PaymentError extends ReasonedError<Reason> {}

const UNKNOWN = {
  FROM_ACCOUNT_NOT_FOUND: 'There is no such account to pay from.',
  MANDATE_NOT_FOUND: 'There is no mandate by which you may collect this payment.',
} as const;

/** Also thrown for an account or mandate of others, so that a caller cannot find out that it exists. */
export function payerUnknown(reason: keyof typeof UNKNOWN): PaymentError {
  return new PaymentError(reason, UNKNOWN[reason]);
}

export function invalid(violations: readonly Violation[]): PaymentError {
  return new PaymentError('INVALID_ARGUMENT', 'The request is not valid.', { violations });
}
