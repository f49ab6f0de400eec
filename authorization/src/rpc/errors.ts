/** Maps the reasons of this service to gRPC codes. */
import { status } from '@grpc/grpc-js';
import { errorTable } from '@payflowx/chassis';
import { AuthorizationError } from '../domain/errors.ts';

export const ERRORS = errorTable('authorization', AuthorizationError, {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  ACCOUNT_NOT_FOUND: status.NOT_FOUND,
  FROM_ACCOUNT_NOT_FOUND: status.NOT_FOUND,
  TO_ACCOUNT_NOT_FOUND: status.NOT_FOUND,
  SAME_ACCOUNT: status.FAILED_PRECONDITION,
  CURRENCY_MISMATCH: status.FAILED_PRECONDITION,
  MANDATE_NOT_FOUND: status.NOT_FOUND,
  ACTION_NOT_ALLOWED: status.PERMISSION_DENIED,
  OWN_ACCOUNT: status.PERMISSION_DENIED,
  // Not UNAVAILABLE, since gRPC would retry at once on another instance. The lock is in the database, so that would not help.
  ACCOUNT_BUSY: status.ABORTED,
  ACCOUNT_CLOSED: status.FAILED_PRECONDITION,
  ACCOUNT_NOT_EMPTY: status.FAILED_PRECONDITION,
  INVALID_STATE: status.FAILED_PRECONDITION,
  // https://google.aip.dev/154: the version is not the latest.
  VERSION_MISMATCH: status.ABORTED,
  CURRENCY_UNKNOWN: status.INVALID_ARGUMENT,
  REQUEST_ID_REUSED: status.ALREADY_EXISTS,
  RULE_NOT_FOUND: status.NOT_FOUND,
  RULE_NAME_TAKEN: status.ALREADY_EXISTS,
  PAYER_WRITTEN_FACT: status.INVALID_ARGUMENT,
  HOLD_NOT_FOUND: status.NOT_FOUND,
  OPERATION_REUSED: status.ALREADY_EXISTS,
  TOO_MANY_HOLDS: status.FAILED_PRECONDITION,
  DEADLINE_PASSED: status.DEADLINE_EXCEEDED,
});
