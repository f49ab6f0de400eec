/**
 * Fills in the sides of operations from before they were stored, and of those that an instance of such a version still stores during
 * an upgrade. Without them an operation is missing in lists by account and by owner.
 */
import { type Logger, type Repetition, repeat } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { fillSides } from '../store/operations.ts';

interface FillDeps {
  db: Kysely<Database>;
  log: Logger;
}

/** Operations of one small transaction. */
const BATCH = 500;
const EVERY_MS = 60_000;

export function startFillingSides(deps: FillDeps): Repetition {
  return repeat('the sides of operations', EVERY_MS, () => fillOperationSides(deps), deps.log);
}

/** Runs once. Returns true if there may be more. */
export async function fillOperationSides({ db, log }: FillDeps): Promise<boolean> {
  const filled = await fillSides(db, BATCH);
  if (filled > 0) log.info({ filled }, 'filled in the sides of operations from an earlier version');
  return filled === BATCH;
}
