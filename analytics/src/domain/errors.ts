/** Everything that analytics answers instead of a result. */

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

/** An event that cannot be counted, whenever it is tried: it belongs to the dead letters. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}
