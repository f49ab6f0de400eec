/** The errors of the ledger's RPCs and of its consumer. */

export type LedgerReason =
  | 'ACCOUNT_NOT_FOUND'
  | 'TRANSACTION_NOT_FOUND'
  | 'PAYMENT_NOT_FOUND'
  | 'NOTHING_SEALED'
  | 'NOT_SEALED_YET'
  | 'INVALID_ARGUMENT'
  | 'AUTHORIZATION_UNAVAILABLE';

export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly reason: LedgerReason;
  readonly violations: readonly { field: string; description: string }[];
  /** Milliseconds after which a retry makes sense. */
  readonly retryAfterMs: number | undefined;
  constructor(
    reason: LedgerReason,
    message: string,
    violations: LedgerError['violations'] = [],
    retryAfterMs?: number,
  ) {
    super(message);
    this.reason = reason;
    this.violations = violations;
    this.retryAfterMs = retryAfterMs;
  }
}

/** An event that can never be posted. It goes to the dead-letter topic. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}
