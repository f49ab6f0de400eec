/** The errors of this service. The list is closed: rpc/errors.ts must give each reason its gRPC code. */

export type Reason =
  | 'INVALID_ARGUMENT'
  | 'SAME_ACCOUNT'
  | 'IDEMPOTENCY_KEY_REQUIRED'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'IDEMPOTENCY_IN_PROGRESS'
  | 'FROM_ACCOUNT_NOT_FOUND'
  | 'PAYMENT_NOT_FOUND'
  | 'ACTION_NOT_ALLOWED'
  | 'OWN_ACCOUNT'
  | 'INVALID_STATE'
  | 'CAPTURE_EXCEEDS_AUTHORIZED'
  | 'REFUND_EXCEEDS_CAPTURED'
  | 'TO_ACCOUNT_NOT_ACTIVE'
  | 'AUTHORIZATION_UNAVAILABLE';

export interface Violation {
  /** Path of the field in the request, in snake_case. */
  field: string;
  description: string;
}

interface Details {
  metadata?: Record<string, string>;
  violations?: readonly Violation[];
  retryAfterMs?: number;
}

export class PaymentError extends Error {
  override readonly name = 'PaymentError';
  readonly reason: Reason;
  readonly metadata: Record<string, string> | undefined;
  readonly violations: readonly Violation[] | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(reason: Reason, message: string, { metadata, violations, retryAfterMs }: Details = {}) {
    super(message);
    this.reason = reason;
    this.metadata = metadata;
    this.violations = violations;
    this.retryAfterMs = retryAfterMs;
  }
}
