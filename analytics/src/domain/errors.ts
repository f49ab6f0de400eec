/** The errors of the RPCs of analytics and of its consumer. */

export type AnalyticsReason = 'ACCOUNT_NOT_FOUND' | 'INVALID_ARGUMENT' | 'AUTHORIZATION_UNAVAILABLE';

export class AnalyticsError extends Error {
  override readonly name = 'AnalyticsError';
  readonly reason: AnalyticsReason;
  readonly violations: readonly { field: string; description: string }[];
  constructor(reason: AnalyticsReason, message: string, violations: AnalyticsError['violations'] = []) {
    super(message);
    this.reason = reason;
    this.violations = violations;
  }
}

/** An event that can never be counted. It goes to the dead-letter topic. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}
