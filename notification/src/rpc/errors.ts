/** The gRPC status of each of notification's reasons. */
import { status } from '@grpc/grpc-js';
import { errorTable } from '@payflowx/chassis';
import { NotificationError } from '../domain/errors.ts';

export const errors = errorTable('notification', NotificationError, {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  EVENT_NOT_FOUND: status.NOT_FOUND,
  ENDPOINT_NOT_FOUND: status.NOT_FOUND,
  DELIVERY_NOT_FOUND: status.NOT_FOUND,
  NOT_YOUR_ENDPOINT: status.PERMISSION_DENIED,
  ENDPOINT_DISABLED: status.FAILED_PRECONDITION,
  TOO_MANY_ENDPOINTS: status.FAILED_PRECONDITION,
  URL_NOT_ALLOWED: status.FAILED_PRECONDITION,
  SUPPRESSION_NOT_FOUND: status.NOT_FOUND,
});
