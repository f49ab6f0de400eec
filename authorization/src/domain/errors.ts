/** All expected errors of this service, by reason. A declined payment is a decision, not an error. */

export type Reason =
  | 'INVALID_ARGUMENT'
  | 'ACCOUNT_NOT_FOUND'
  | 'OWN_ACCOUNT'
  | 'ACCOUNT_BUSY'
  | 'ACCOUNT_CLOSED'
  | 'ACCOUNT_NOT_EMPTY'
  | 'INVALID_STATE'
  | 'VERSION_MISMATCH'
  | 'CURRENCY_UNKNOWN'
  | 'REQUEST_ID_REUSED'
  | 'RULE_NOT_FOUND'
  | 'RULE_NAME_TAKEN'
  | 'PAYER_WRITTEN_FACT'
  | 'HOLD_NOT_FOUND'
  | 'OPERATION_REUSED'
  | 'DEADLINE_PASSED';

export interface Violation {
  field: string;
  description: string;
}

export class AuthorizationError extends Error {
  override readonly name = 'AuthorizationError';
  readonly reason: Reason;
  readonly violations: Violation[];
  readonly metadata: Record<string, string>;
  constructor(
    reason: Reason,
    message: string,
    { violations = [], metadata = {} }: { violations?: Violation[]; metadata?: Record<string, string> } = {},
  ) {
    super(message);
    this.reason = reason;
    this.violations = violations;
    this.metadata = metadata;
  }
}
