/** What each reason is in gRPC. */
import { status } from '@grpc/grpc-js';
import { errorTable } from '@payflowx/chassis';
import { AuthorizationError } from '../domain/errors.ts';

export const ERRORS = errorTable('authorization', AuthorizationError, {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  ACCOUNT_NOT_FOUND: status.NOT_FOUND,
  // Not UNAVAILABLE, which gRPC would retry by itself, at once and on another instance: the lock is in the database.
  ACCOUNT_BUSY: status.ABORTED,
  ACCOUNT_CLOSED: status.FAILED_PRECONDITION,
  ACCOUNT_NOT_EMPTY: status.FAILED_PRECONDITION,
  INVALID_STATE: status.FAILED_PRECONDITION,
  // https://google.aip.dev/154: a version that is not the latest.
  VERSION_MISMATCH: status.ABORTED,
  CURRENCY_UNKNOWN: status.INVALID_ARGUMENT,
  REQUEST_ID_REUSED: status.ALREADY_EXISTS,
  RULE_NOT_FOUND: status.NOT_FOUND,
  RULE_NAME_TAKEN: status.ALREADY_EXISTS,
  HOLD_NOT_FOUND: status.NOT_FOUND,
  OPERATION_REUSED: status.ALREADY_EXISTS,
  DEADLINE_PASSED: status.DEADLINE_EXCEEDED,
});
