/**
 * The recovery worker. A payment that is still INITIATED after a while lost its process, a response or the database. The worker
 * repeats the same steps with the same ids until the payment is final. Any number of instances may run it at once.
 */
import { type Logger, type Repetition, repeat, runInTrace, traceFrom } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { claimPayments } from '../store/payments.ts';
import type { PaymentFlow } from './payment-flow.ts';
import { NO_RETRY, stuckFields, withRecoveryTimeout } from './recovery-round.ts';

export interface RecoverDeps {
  db: Kysely<Database>;
  flow: Pick<PaymentFlow, 'resolve'>;
  log: Logger;
  now(): Date;
  authorizeDeadlineMs: number;
  recoverAfterMs: number;
}

const BATCH = 200;

export function startRecovery(deps: RecoverDeps, everyMs: number): Repetition {
  return repeat('recovery', everyMs, () => recoverPayments(deps), deps.log);
}

/** Runs once: claims the payments that are due and retries them. Returns true if there may be more. */
export async function recoverPayments(deps: RecoverDeps): Promise<boolean> {
  const { db, flow, log, now, authorizeDeadlineMs, recoverAfterMs } = deps;
  const { due: claimed, stuck } = await claimPayments(db, {
    now: now(),
    limit: BATCH,
    // The first attempt gets its full time before another instance retries the payment.
    backOffMs: recoverAfterMs,
  });
  if (claimed.length === 0) return false;
  if (stuck.length > 0) log.error(stuckFields(stuck), 'payments are stuck: no attempt produced an outcome');

  const deadline = new Date(now().getTime() + authorizeDeadlineMs);
  const outcomes = await Promise.allSettled(
    // In the trace of its request, so that its spans and log lines belong to it.
    claimed.map((payment) =>
      runInTrace(traceFrom(payment.origin.traceparent), () =>
        withRecoveryTimeout(flow.resolve(payment, deadline, { retryUntil: NO_RETRY }), authorizeDeadlineMs),
      ),
    ),
  );
  const recovered = outcomes.filter(({ status }) => status === 'fulfilled').length;
  log.info({ claimed: claimed.length, recovered }, 'recovered payments');
  return claimed.length === BATCH;
}
