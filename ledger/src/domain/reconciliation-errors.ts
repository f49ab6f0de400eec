/** Everything that a reconciliation answers instead of a report. */

export type ReconciliationReason =
  | 'RECONCILIATION_RUNNING'
  | 'RECONCILIATION_NOT_FOUND'
  | 'NEIGHBOUR_UNAVAILABLE';

export class ReconciliationError extends Error {
  override readonly name = 'ReconciliationError';
  readonly reason: ReconciliationReason;
  /** Trying again makes sense, after this long. */
  readonly retryAfterMs: number | undefined;
  constructor(reason: ReconciliationReason, message: string, retryAfterMs?: number) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
