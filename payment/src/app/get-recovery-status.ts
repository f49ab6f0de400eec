/**
 * The recovery status for operators: payments and operations without an outcome, the stuck ones among them, events that are not
 * published yet, and the clock difference from authorization.
 */
import { type OutboxBacklog, readOutboxBacklog } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import type { ClockDifference, ClockWatch } from '../clients/clock-watch.ts';
import { DESTINATIONS } from '../messages/payment-event.ts';
import { type Backlog, readBacklog } from '../store/claim-due.ts';
import type { Database } from '../store/database.ts';

export interface RecoveryStatusDeps {
  db: Kysely<Database>;
  clock: Pick<ClockWatch, 'difference'>;
}

export interface RecoveryStatus {
  payments: Backlog;
  operations: Backlog;
  outbox: OutboxBacklog[];
  /** Undefined if the clocks were never compared. */
  clock: ClockDifference | undefined;
}

export async function getRecoveryStatus({ db, clock }: RecoveryStatusDeps): Promise<RecoveryStatus> {
  const [payments, operations, outbox] = await Promise.all([
    readBacklog(db, 'payments'),
    readBacklog(db, 'operations'),
    readOutboxBacklog(db, DESTINATIONS),
  ]);
  return { payments, operations, outbox, clock: clock.difference() };
}
