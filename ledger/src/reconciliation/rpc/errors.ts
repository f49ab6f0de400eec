/** The gRPC status of each of a reconciliation's reasons. */
import { status } from '@grpc/grpc-js';
import { errorTable } from '@payflowx/chassis';
import { ReconciliationError } from '../domain/errors.ts';

export const reconciliationErrors = errorTable('ledger', ReconciliationError, {
  RECONCILIATION_RUNNING: status.ABORTED,
  RECONCILIATION_NOT_FOUND: status.NOT_FOUND,
  NEIGHBOUR_UNAVAILABLE: status.UNAVAILABLE,
});
