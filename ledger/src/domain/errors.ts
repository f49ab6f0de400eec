/** Everything that the ledger answers instead of a result. */

export type LedgerReason =
  | 'ACCOUNT_NOT_FOUND'
  | 'TRANSACTION_NOT_FOUND'
  | 'INVALID_ARGUMENT'
  | 'AUTHORIZATION_UNAVAILABLE';

export class LedgerError extends Error {
  override readonly name = 'LedgerError';
  readonly reason: LedgerReason;
  readonly violations: readonly { field: string; description: string }[];
  constructor(reason: LedgerReason, message: string, violations: LedgerError['violations'] = []) {
    super(message);
    this.reason = reason;
    this.violations = violations;
  }
}

/** An event that cannot be posted, whenever it is tried: it belongs to the dead letters. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}
