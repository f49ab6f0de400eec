/** The gRPC status of each of the ledger's reasons. */
import { status } from '@grpc/grpc-js';
import { errorTable } from '@payflowx/chassis';
import { LedgerError } from '../domain/errors.ts';

export const errors = errorTable('ledger', LedgerError, {
  ACCOUNT_NOT_FOUND: status.NOT_FOUND,
  TRANSACTION_NOT_FOUND: status.NOT_FOUND,
  PAYMENT_NOT_FOUND: status.NOT_FOUND,
  NOTHING_SEALED: status.NOT_FOUND,
  NOT_SEALED_YET: status.FAILED_PRECONDITION,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  AUTHORIZATION_UNAVAILABLE: status.UNAVAILABLE,
});
