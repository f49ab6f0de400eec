/** All expected errors of this service, by reason. A declined payment is a decision, not an error. */
import { ReasonedError, type Violation } from '@payflowx/chassis/errors';

export type Reason =
  | 'INVALID_ARGUMENT'
  | 'ACCOUNT_NOT_FOUND'
  | 'FROM_ACCOUNT_NOT_FOUND'
  | 'TO_ACCOUNT_NOT_FOUND'
  | 'SAME_ACCOUNT'
  | 'CURRENCY_MISMATCH'
  | 'MANDATE_NOT_FOUND'
  | 'ACTION_NOT_ALLOWED'
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
  | 'TOO_MANY_HOLDS'
  | 'DEADLINE_PASSED';

export class AuthorizationError extends ReasonedError<Reason> {}

export function invalid(violations: readonly Violation[]): AuthorizationError {
  return new AuthorizationError('INVALID_ARGUMENT', 'The request is not valid.', { violations });
}
