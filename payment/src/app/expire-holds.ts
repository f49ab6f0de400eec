/** The expiry worker: ends holds whose time is over. Any number of instances may do so; a hold has one expiry, whoever begins it. */

import { type Repetition, repeat } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import { beginExpiry, type Operation } from '../domain/operation.ts';
import { insertOperations } from '../store/operations.ts';
import { lockExpired } from '../store/payments.ts';
import { driveOperations, type RecoverOperationsDeps } from './recover-operations.ts';

export type ExpireDeps = RecoverOperationsDeps & { newId(prefix: 'exp'): string };

const BATCH = 100;

export function startExpiry(deps: ExpireDeps, everyMs: number): Repetition {
  return repeat('the expiry of holds', everyMs, () => expireHolds(deps), deps.log);
}

/** One round. Returns whether there may be more. What authorization does not answer is on recovery's list. */
export async function expireHolds(deps: ExpireDeps): Promise<boolean> {
  const begun = await beginExpiries(deps);
  if (begun.length === 0) return false;
  const expired = await driveOperations(deps, begun);
  deps.log.info({ begun: begun.length, expired }, 'ended holds whose time was over');
  return begun.length === BATCH;
}

async function beginExpiries({ db, now, newId, recoverAfterMs }: ExpireDeps): Promise<Operation[]> {
  const at = now();
  return inTransaction(db, async (trx) => {
    const payments = await lockExpired(trx, at, BATCH);
    if (payments.length === 0) return [];
    const expiries = payments.map((payment) => {
      // Nobody asks for it: it is the end of what the payment's own request began.
      const { traceparent } = payment.origin;
      const origin = { callerId: undefined, requestId: undefined, traceparent };
      return beginExpiry(payment, { id: newId('exp'), origin, now: at });
    });
    const stored = await insertOperations(trx, expiries, recoverAfterMs);
    return expiries.filter(({ id }) => stored.has(id));
  });
}
