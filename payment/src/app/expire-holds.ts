/**
 * The expiry worker: begins the end of holds whose time is over. Any number of instances may do so; a hold has one expiry, whoever begins
 * it. An expiry that authorization finds too early, or does not answer, is recovery's: the same one is tried again until it is done.
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
  /** Whose time decides. */
  clock: Pick<ClockWatch, 'theirTime'>;
};

const BATCH = 100;

export function startExpiry(deps: ExpireDeps, everyMs: number): Repetition {
  return repeat('the expiry of holds', everyMs, () => expireHolds(deps), deps.log);
}

/** One round. Returns whether there may be more. */
export async function expireHolds(deps: ExpireDeps): Promise<boolean> {
  const { claimed, begun } = await beginExpiries(deps);
  if (begun.length > 0) {
    const expired = await driveOperations(deps, begun);
    deps.log.info({ begun: begun.length, expired }, 'ended holds whose time was over');
  }
  return claimed === BATCH;
}

async function beginExpiries({ db, now, clock, newId, recoverAfterMs }: ExpireDeps) {
  const at = now();
  return inTransaction(db, async (trx) => {
    const payments = await claimExpired(trx, clock.theirTime(at), BATCH);
    if (payments.length === 0) return { claimed: 0, begun: [] };
    const expiries = payments.map((payment) => {
      // Nobody asks for it: it is the end of what the payment's own request began.
      const { traceparent } = payment.origin;
      const origin = { callerId: undefined, requestId: undefined, traceparent };
      return beginExpiry(payment, { id: newId('exp'), origin, now: at });
    });
    const stored = await insertOperations(trx, expiries, recoverAfterMs);
    return { claimed: payments.length, begun: expiries.filter(({ id }) => stored.has(id)) };
  });
}
