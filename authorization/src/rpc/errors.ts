/** What each reason is in gRPC. */
import { status } from '@grpc/grpc-js';
import { errorTable } from '@payflowx/chassis';
import { AuthorizationError } from '../domain/errors.ts';

export const ERRORS = errorTable('authorization', AuthorizationError, {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  ACCOUNT_NOT_FOUND: status.NOT_FOUND,
  CURRENCY_UNKNOWN: status.INVALID_ARGUMENT,
  REQUEST_ID_REUSED: status.ALREADY_EXISTS,
  OPERATION_REUSED: status.ALREADY_EXISTS,
  DEADLINE_PASSED: status.DEADLINE_EXCEEDED,
});
