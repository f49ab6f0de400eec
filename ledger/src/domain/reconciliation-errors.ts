/** The errors of a reconciliation. */

export type ReconciliationReason =
  | 'RECONCILIATION_RUNNING'
  | 'RECONCILIATION_NOT_FOUND'
  | 'NEIGHBOUR_UNAVAILABLE';

export class ReconciliationError extends Error {
  override readonly name = 'ReconciliationError';
  readonly reason: ReconciliationReason;
  /** Milliseconds after which a retry makes sense. */
  readonly retryAfterMs: number | undefined;
  constructor(reason: ReconciliationReason, message: string, retryAfterMs?: number) {
    super(message);
    this.reason = reason;
    this.retryAfterMs = retryAfterMs;
  }
}
