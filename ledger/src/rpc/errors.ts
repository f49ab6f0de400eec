/** The ledger's reasons in gRPC's codes. */
import { status } from '@grpc/grpc-js';
import { errorTable } from '@payflowx/chassis';
import { LedgerError } from '../domain/errors.ts';

export const errors = errorTable('ledger', LedgerError, {
  ACCOUNT_NOT_FOUND: status.NOT_FOUND,
  TRANSACTION_NOT_FOUND: status.NOT_FOUND,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  AUTHORIZATION_UNAVAILABLE: status.UNAVAILABLE,
});
