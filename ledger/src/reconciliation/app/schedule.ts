/** Runs reconciliations on a schedule. Of all instances, the first one that finds a run due starts it. */
import { type Repetition, repeat } from '@payflowx/chassis';
import { holdingReconciliationLock, listReports } from '../store/reports.ts';
import { type ReconciliationDeps, reconcile } from './run-reconciliation.ts';

/** Milliseconds between two checks if a run is due, and from startup to the first run. A shorter `everyMs` shortens both. */
const LOOK_MS = 60_000;

/** Starts a run `everyMs` after the start of the last run, scheduled or requested. 0 turns the schedule off. */
export function startReconciliationSchedule(deps: ReconciliationDeps, everyMs: number): Repetition {
  if (everyMs === 0) return { stop: async () => {} };
  const lookMs = Math.min(LOOK_MS, everyMs);
  const notBefore = deps.now().getTime() + lookMs;
  const round = async () => {
    if (deps.now().getTime() >= notBefore) await runIfDue(deps, everyMs);
    return false;
  };
  return repeat('a scheduled reconciliation', lookMs, round, deps.log);
}

/** Returns true if a run took place. */
export async function runIfDue(deps: ReconciliationDeps, everyMs: number): Promise<boolean> {
  const isDue = async () => {
    const [last] = await listReports(deps.db, undefined, 1);
    return last === undefined || deps.now().getTime() - last.startedAt.getTime() >= everyMs;
  };
  if (!(await isDue())) return false;
  // Looks again under the lock: another instance may have run since.
  const ran = await holdingReconciliationLock(deps.db, async () => {
    if (!(await isDue())) return false;
    await reconcile(deps, '');
    return true;
  });
  return ran ?? false;
}
