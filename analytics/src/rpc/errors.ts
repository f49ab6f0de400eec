/** The gRPC status of each of analytics' reasons. */
import { status } from '@grpc/grpc-js';
import { errorTable } from '@payflowx/chassis';
import { AnalyticsError } from '../domain/errors.ts';

export const errors = errorTable('analytics', AnalyticsError, {
  ACCOUNT_NOT_FOUND: status.NOT_FOUND,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  AUTHORIZATION_UNAVAILABLE: status.UNAVAILABLE,
});
