/**
 * Sends a step to the next batch, or refuses it while another session has one of its rows locked. So a locked row delays only its
 * own steps.
 */
import { createBatcher } from '@payflowx/chassis';
import { AuthorizationError } from '../domain/errors.ts';
import type { Answer } from '../store/decisions.ts';
import { accountRow, holdRow, mandateRow, type RowName } from '../store/row-locks.ts';
import { type DecideDeps, decideBatch, RowsLocked } from './decide-batch.ts';
import type { Command } from './decide-steps.ts';
import { createLockPatience } from './lock-patience.ts';
import { createLockedRows } from './locked-rows.ts';

export interface StepFlow {
  /**
   * Rejects with the error of the step. ACCOUNT_BUSY: a row is locked, nothing was decided, and the caller may retry the same
   * step.
   */
  decide(command: Command): Promise<Answer>;
  /** Accepts no more steps, and resolves when all accepted ones are decided. */
  drain(): Promise<void>;
}

export function createStepFlow(
  deps: Omit<DecideDeps, 'patience'>,
  batches: { maxSize?: number; concurrency?: number } = {},
): StepFlow {
  const patience = createLockPatience();
  const batcher = createBatcher<Command, Answer>({
    name: 'decide',
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

/** Returns the rows that are known without a query. The accounts of a capture or release are only in its hold. */
function rowsNamedBy({ request }: Command): RowName[] {
  if (request.kind === 'CAPTURE' || request.kind === 'RELEASE') return [holdRow(request.paymentId)];
  const accounts = [accountRow(request.fromAccount), accountRow(request.toAccount)];
  return request.kind === 'REFUND' || request.mandateId === undefined
    ? accounts
    : [...accounts, mandateRow(request.mandateId)];
}

function busy(): AuthorizationError {
  return new AuthorizationError('ACCOUNT_BUSY', 'An account or the hold is locked. Nothing was decided.');
}
