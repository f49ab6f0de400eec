/** The errors of the RPCs of analytics and of its consumer. */
import { ReasonedError } from '@payflowx/chassis/errors';

export type AnalyticsReason = 'ACCOUNT_NOT_FOUND' | 'INVALID_ARGUMENT' | 'AUTHORIZATION_UNAVAILABLE';

export class AnalyticsError extends ReasonedError<AnalyticsReason> {}

/** An event that can never be counted. It goes to the dead-letter topic. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}
