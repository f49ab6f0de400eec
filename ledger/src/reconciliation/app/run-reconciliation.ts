/** Runs one reconciliation: compares, stores the report, and logs the result. */
import { type Logger, newId } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { ReconciliationError } from '../domain/errors.ts';
import type { ReconciliationDatabase } from '../store/database.ts';
import { holdingReconciliationLock, insertReport, type Report } from '../store/reports.ts';
import { type FindingDeps, type FindingSettings, findDifferences } from './find-differences.ts';

export interface ReconciliationDeps extends FindingDeps {
  /** A separate pool: one connection holds the lock during the whole run. */
  db: Kysely<ReconciliationDatabase>;
  settings: FindingSettings;
  log: Logger;
  now(): Date;
}

/** About the duration of a run while money moves. */
const RETRY_AFTER_MS = 5_000;

/**
 * `requestedBy` is a user's id. Throws ReconciliationError RECONCILIATION_RUNNING or
 * NEIGHBOUR_UNAVAILABLE.
 */
export async function runReconciliation(deps: ReconciliationDeps, requestedBy: string): Promise<Report> {
  const report = await holdingReconciliationLock(deps.db, () => reconcile(deps, requestedBy));
  if (report) return report;
  throw new ReconciliationError('RECONCILIATION_RUNNING', 'A reconciliation is already running.', {
    retryAfterMs: RETRY_AFTER_MS,
  });
}

/** Needs the lock that lets one run at a time. */
export async function reconcile(deps: ReconciliationDeps, requestedBy: string): Promise<Report> {
  const id = newId('rec');
  const startedAt = deps.now();
  const { unsettledIds, ...findings } = await findDifferences(deps, deps.settings);
  const report: Report = { id, requestedBy, startedAt, finishedAt: deps.now(), ...findings };
  await insertReport(deps.db, report);
  logResult(deps.log, report, unsettledIds);
  return report;
}

function logResult(log: Logger, report: Report, unsettledIds: readonly string[]): void {
  const { id, accountCount, differenceCount, unsettledCount, differences } = report;
  const facts = { reconciliation_id: id, accounts: accountCount, differences: differenceCount };
  if (unsettledCount > 0) {
    const unsettled = { unsettled: unsettledCount, account_ids: unsettledIds };
    log.info({ ...facts, ...unsettled }, 'accounts did not agree, but never stood still');
  }
  if (differenceCount === 0) log.info(facts, 'reconciled: nothing differs');
  else log.warn({ ...facts, first: differences[0] }, 'reconciled: services do not agree');
}
