/**
 * Recovery of operations. Like recover-payments.ts, it retries operations that are still PENDING after a while, with the same
 * ids.
 */
import { type Logger, type Repetition, repeat, runInTrace, traceFrom } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Operation } from '../domain/operation.ts';
import type { Database } from '../store/database.ts';
import { claimOperations, postponeOperations } from '../store/operations.ts';
import { findPayments } from '../store/payments.ts';
import { type OperationFlow, TooEarlyError } from './operation-flow.ts';
import { NO_RETRY, stuckFields, withRecoveryTimeout } from './recovery-round.ts';

export interface RecoverOperationsDeps {
  db: Kysely<Database>;
  operations: Pick<OperationFlow, 'resolve'>;
  log: Logger;
  now(): Date;
  authorizeDeadlineMs: number;
  recoverAfterMs: number;
}

const BATCH = 100;

export function startOperationRecovery(deps: RecoverOperationsDeps, everyMs: number): Repetition {
  return repeat('recovery of operations', everyMs, () => recoverOperations(deps), deps.log);
}

/** Runs once: claims the operations that are due and retries them. Returns true if there may be more. */
export async function recoverOperations(deps: RecoverOperationsDeps): Promise<boolean> {
  const { db, log, now, recoverAfterMs } = deps;
  const { due: claimed, stuck } = await claimOperations(db, {
    now: now(),
    limit: BATCH,
    backOffMs: recoverAfterMs,
  });
  if (claimed.length === 0) return false;
  if (stuck.length > 0) log.error(stuckFields(stuck), 'operations are stuck: no attempt produced an outcome');
  const recovered = await driveOperations(deps, claimed);
  log.info({ claimed: claimed.length, recovered }, 'recovered operations');
  return claimed.length === BATCH;
}

/**
 * Retries operations in the background, and returns how many finished. An operation that is too early is postponed until its
 * time. Any other one is due again after its pause.
 */
export async function driveOperations(
  { db, operations, now, authorizeDeadlineMs }: Omit<RecoverOperationsDeps, 'log' | 'recoverAfterMs'>,
  pending: readonly Operation[],
): Promise<number> {
  const ids = [...new Set(pending.map(({ paymentId }) => paymentId))];
  const payments = new Map((await findPayments(db, ids)).map((payment) => [payment.id, payment]));
  const deadline = new Date(now().getTime() + authorizeDeadlineMs);
  const outcomes = await Promise.allSettled(
    pending.map(async (operation) => {
      const payment = payments.get(operation.paymentId);
      if (!payment) return;
      const trace = traceFrom(operation.origin.traceparent);
      await runInTrace(trace, () =>
        withRecoveryTimeout(
          operations.resolve({ operation, payment }, deadline, NO_RETRY),
          authorizeDeadlineMs,
        ),
      );
    }),
  );
  const postponed = outcomes.flatMap((outcome, index) => {
    const id = pending[index]?.id;
    if (outcome.status === 'fulfilled' || !(outcome.reason instanceof TooEarlyError) || !id) return [];
    return [{ id, until: outcome.reason.until }];
  });
  if (postponed.length > 0) await postponeOperations(db, postponed);
  return outcomes.filter(({ status }) => status === 'fulfilled').length;
}
