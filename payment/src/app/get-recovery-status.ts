/**
 * The recovery status for operators: payments and operations without an outcome, the stuck ones among them, and the clock
 * difference from authorization.
 */
import type { Kysely } from 'kysely';
import type { ClockDifference, ClockWatch } from '../clients/clock-watch.ts';
import { type Backlog, readBacklog } from '../store/claim-due.ts';
import type { Database } from '../store/database.ts';

export interface RecoveryStatusDeps {
  db: Kysely<Database>;
  clock: Pick<ClockWatch, 'difference'>;
}

export interface RecoveryStatus {
  payments: Backlog;
  operations: Backlog;
  /** Undefined if the clocks were never compared. */
  clock: ClockDifference | undefined;
}

export async function getRecoveryStatus({ db, clock }: RecoveryStatusDeps): Promise<RecoveryStatus> {
  const [payments, operations] = await Promise.all([
    readBacklog(db, 'payments'),
    readBacklog(db, 'operations'),
  ]);
  return { payments, operations, clock: clock.difference() };
}
