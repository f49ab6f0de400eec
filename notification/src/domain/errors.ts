/** The errors of the RPCs of notification. */
import { ReasonedError } from '@payflowx/chassis/errors';

export type NotificationReason =
  | 'INVALID_ARGUMENT'
  | 'EVENT_NOT_FOUND'
  | 'ENDPOINT_NOT_FOUND'
  | 'DELIVERY_NOT_FOUND'
  | 'NOT_YOUR_ENDPOINT'
  | 'ENDPOINT_DISABLED'
  | 'SUPPRESSION_NOT_FOUND'
  | 'TOO_MANY_ENDPOINTS'
  | 'URL_NOT_ALLOWED';

export class NotificationError extends ReasonedError<NotificationReason> {}

export function invalid(field: string, description: string): NotificationError {
  return new NotificationError('INVALID_ARGUMENT', `${field} ${description}.`, {
    violations: [{ field, description }],
  });
}
