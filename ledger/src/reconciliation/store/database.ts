/** The tables of reconciliations as Kysely sees them. The migrations create them. */

import type { BalanceRow } from '../../store/database.ts';
import type { Figure, Source } from '../domain/reconciliation.ts';

export interface ReconciliationDatabase {
  reconciliations: ReconciliationRow;
  reconciliation_differences: DifferenceRow;
  balances: BalanceRow;
}

export interface ReconciliationRow {
  id: string;
  requested_by: string;
  started_at: Date;
  finished_at: Date;
  account_count: bigint;
  difference_count: bigint;
  unsettled_count: bigint;
}

export interface DifferenceRow {
  reconciliation_id: string;
  number: number;
  account_id: string;
  currency: string;
  figure: Figure;
  expected_by: Source;
  /** The older columns: 0 if the figure does not fit. */
  expected: bigint;
  found_by: Source;
  found: bigint;
  /** Numeric, which pg returns as text. Null in reports of earlier versions. */
  expected_sum: string | null;
  found_sum: string | null;
}
