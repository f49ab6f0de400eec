/** The errors of a reconciliation. */
import { ReasonedError } from '@payflowx/chassis/errors';

export type ReconciliationReason =
  | 'RECONCILIATION_RUNNING'
  | 'RECONCILIATION_NOT_FOUND'
  | 'NEIGHBOUR_UNAVAILABLE';

export class ReconciliationError extends ReasonedError<ReconciliationReason> {}
