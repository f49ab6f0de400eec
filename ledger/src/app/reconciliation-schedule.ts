/** Reconciles from time to time, whichever instance comes first. */
import { type Repetition, repeat } from '@payflowx/chassis';
import { ReconciliationError } from '../domain/reconciliation-errors.ts';
import { listReports } from '../store/reconciliations.ts';
import { type ReconciliationDeps, runReconciliation } from './reconciliation-run.ts';

/** How often an instance looks whether it is time, and how long it leaves a platform alone that has just been started. */
const LOOK_MS = 60_000;

/** Begins a run when the last one, by whomever, began `everyMs` ago; 0: never. */
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

/** Whether it ran. */
export async function runIfDue(deps: ReconciliationDeps, everyMs: number): Promise<boolean> {
  const [last] = await listReports(deps.db, undefined, 1);
  if (last && deps.now().getTime() - last.startedAt.getTime() < everyMs) return false;
  try {
    await runReconciliation(deps, '');
    return true;
  } catch (error) {
    if (error instanceof ReconciliationError && error.reason === 'RECONCILIATION_RUNNING') return false;
    throw error;
  }
}
