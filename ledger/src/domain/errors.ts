/** The errors of the ledger's RPCs and of its consumer. */
import { ReasonedError } from '@payflowx/chassis/errors';

export type LedgerReason =
  | 'ACCOUNT_NOT_FOUND'
  | 'TRANSACTION_NOT_FOUND'
  | 'PAYMENT_NOT_FOUND'
  | 'NOTHING_SEALED'
  | 'NOT_SEALED_YET'
  | 'INVALID_ARGUMENT'
  | 'AUTHORIZATION_UNAVAILABLE';

export class LedgerError extends ReasonedError<LedgerReason> {}

/** An event that can never be posted. It goes to the dead-letter topic. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused';
}
