/**
 * The expiry worker. It starts the expiry of holds that are past their end. Any number of instances may run it, because a hold
 * can have only one expiry. If authorization finds an expiry too early or does not respond, recovery retries the same expiry
 * until it is done.
 */

import { type Repetition, repeat } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { ClockWatch } from '../clients/clock-watch.ts';
import { beginExpiry } from '../domain/operation.ts';
import { insertOperations } from '../store/operations.ts';
import { claimExpired } from '../store/payments.ts';
import { driveOperations, type RecoverOperationsDeps } from './recover-operations.ts';

export type ExpireDeps = RecoverOperationsDeps & {
  newId(prefix: 'exp'): string;
  /** Authorization's clock, which decides when a hold ends. */
  clock: Pick<ClockWatch, 'authorizationTime'>;
};

const BATCH = 100;

export function startExpiry(deps: ExpireDeps, everyMs: number): Repetition {
  return repeat('the expiry of holds', everyMs, () => expireHolds(deps), deps.log);
}

/** Runs once. Returns true if there may be more holds to expire. */
export async function expireHolds(deps: ExpireDeps): Promise<boolean> {
  const { claimed, begun } = await beginExpiries(deps);
  if (begun.length > 0) {
    const expired = await driveOperations(deps, begun);
    deps.log.info({ begun: begun.length, expired }, 'expired holds that were past their end');
  }
  return claimed === BATCH;
}

async function beginExpiries({ db, now, clock, newId, recoverAfterMs }: ExpireDeps) {
  const at = now();
  return inTransaction(db, async (trx) => {
    const payments = await claimExpired(trx, clock.authorizationTime(at), BATCH);
    if (payments.length === 0) return { claimed: 0, begun: [] };
    const expiries = payments.map((payment) => {
      // An expiry has no caller. It belongs to the trace of the request that created the payment.
      const { traceparent } = payment.origin;
      const origin = { callerId: undefined, requestId: undefined, traceparent };
      return beginExpiry(payment, { id: newId('exp'), origin, now: at });
    });
    const stored = await insertOperations(trx, expiries, recoverAfterMs);
    return { claimed: payments.length, begun: expiries.filter(({ id }) => stored.has(id)) };
  });
}
