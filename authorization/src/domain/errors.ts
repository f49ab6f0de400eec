/** Everything that this service refuses, by reason. A declined payment is not among them: it is a decision. */

export type Reason =
  | 'INVALID_ARGUMENT'
  | 'ACCOUNT_NOT_FOUND'
  | 'CURRENCY_UNKNOWN'
  | 'REQUEST_ID_REUSED'
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
  constructor(reason: Reason, message: string, violations: Violation[] = []) {
    super(message);
    this.reason = reason;
    this.violations = violations;
  }
}
