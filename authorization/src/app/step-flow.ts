/**
 * The way of a step to its decision: in the next batch; or, while one of its rows is locked by somebody else, not at all. So a
 * locked row stops its own steps and no others.
 */
import { createBatcher } from '@payflowx/chassis';
import { AuthorizationError } from '../domain/errors.ts';
import type { Answer } from '../store/decisions.ts';
import { accountRow, holdRow, type RowName } from '../store/row-locks.ts';
import { type DecideDeps, decideBatch, RowsLocked } from './decide-batch.ts';
import { createLockPatience } from './lock-patience.ts';
import { createLockedRows } from './locked-rows.ts';
import type { Command } from './round.ts';

export interface StepFlow {
  /** Rejects with what the step is refused for; ACCOUNT_BUSY: a row is locked, nothing was decided, and the same step may be asked for again. */
  decide(command: Command): Promise<Answer>;
  /** Takes no more, and resolves when everything taken is decided. */
  drain(): Promise<void>;
}

export function createStepFlow(
  deps: Omit<DecideDeps, 'patience'>,
  batches: { maxSize?: number; concurrency?: number } = {},
): StepFlow {
  const patience = createLockPatience();
  const batcher = createBatcher<Command, Answer>({
    ...batches,
    flush: (commands) => decideBatch({ ...deps, patience }, commands),
  });
  const locked = createLockedRows(deps);

  return {
    async decide(command) {
      if (rowsNamedBy(command).some((row) => locked.has(row))) throw busy();
      try {
        return await batcher.submit(command);
      } catch (error) {
        if (!(error instanceof RowsLocked)) throw error;
        locked.add(error.rows);
        throw busy();
      }
    },
    async drain() {
      await batcher.drain();
      await locked.stop();
    },
  };
}

/** Without a look at the database: the accounts of a capture or release stand in its hold. */
function rowsNamedBy({ request }: Command): RowName[] {
  return request.kind === 'CAPTURE' || request.kind === 'RELEASE'
    ? [holdRow(request.paymentId)]
    : [accountRow(request.fromAccount), accountRow(request.toAccount)];
}

function busy(): AuthorizationError {
  return new AuthorizationError('ACCOUNT_BUSY', 'An account or the hold is locked. Nothing was decided.');
}
