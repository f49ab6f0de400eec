/** Maps the reasons of auth to gRPC codes. */
import { status } from '@grpc/grpc-js';
import { errorTable } from '@payflowx/chassis';
import { AuthError } from '../domain/errors.ts';

export const errors = errorTable('auth', AuthError, {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  INVALID_CREDENTIALS: status.UNAUTHENTICATED,
  INVALID_REFRESH_TOKEN: status.UNAUTHENTICATED,
  TOO_MANY_LOGINS: status.RESOURCE_EXHAUSTED,
  USER_NOT_FOUND: status.NOT_FOUND,
  USERNAME_TAKEN: status.ALREADY_EXISTS,
  REQUEST_ID_REUSED: status.ALREADY_EXISTS,
  API_CLIENT_NOT_FOUND: status.NOT_FOUND,
  API_CLIENT_REVOKED: status.FAILED_PRECONDITION,
});
