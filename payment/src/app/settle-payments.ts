/** Step (c): in one transaction for many payments, store their outcomes and announce them. */
import {
  failed,
  faultPoint,
  insertOutbox,
  inTransaction,
  type Logger,
  ok,
  type Result,
} from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { type Change, type Decision, decide, isPayerUnknown, type Payment } from '../domain/payment.ts';
import { toOutboxRows } from '../messages/payment-event.ts';
import type { Database } from '../store/database.ts';
import { releaseKeys } from '../store/idempotency-keys.ts';
import { findPayments, settlePayments as storeOutcomes } from '../store/payments.ts';

export interface SettleDeps {
  db: Kysely<Database>;
  log: Logger;
  now(): Date;
  newId(prefix: 'evt'): string;
}

export interface SettleRequest {
  payment: Payment;
  decision: Decision;
}

/**
 * The payments as they are afterwards, one result each, in order. A payment that somebody else settled meanwhile
 * (the request itself and recovery may both be at it) is given as that one left it, and announced only once.
 */
export async function settlePayments(
  deps: SettleDeps,
  requests: readonly SettleRequest[],
): Promise<Result<Payment>[]> {
  try {
    const settled = await settle(deps, requests);
    faultPoint('payment.after-settle');
    return requests.map(({ payment: { id } }) => {
      const payment = settled.get(id);
      return payment ? ok(payment) : failed(new Error(`Payment ${id} is gone.`));
    });
  } catch (error) {
    deps.log.warn({ err: error, payments: requests.length }, 'outcomes could not be stored');
    throw error;
  }
}

interface Outcome {
  change: Change;
  eventId: string;
  rows: ReturnType<typeof toOutboxRows>;
}

async function settle(deps: SettleDeps, requests: readonly SettleRequest[]): Promise<Map<string, Payment>> {
  const now = deps.now();
  // By id: a payment that is in the flush twice is settled once.
  const outcomes = new Map(
    requests.map(({ payment, decision }) => [
      payment.id,
      toOutcome(decide(payment, decision, now), deps.newId('evt')),
    ]),
  );
  const moved = await inTransaction(deps.db, async (trx) => {
    const ids = await storeOutcomes(
      trx,
      [...outcomes.values()].map(({ change: { payment }, eventId }) => ({ payment, eventId })),
    );
    const mine = [...outcomes.values()].filter(({ change }) => ids.has(change.payment.id));
    const payments = mine.map(({ change }) => change.payment);
    // The caller gets 404, which is not stored: the same key may be used again, once the account is there.
    const unanswered = payments.filter(isPayerUnknown);
    if (unanswered.length > 0) await releaseKeys(trx, unanswered.map(keyOf));
    await insertOutbox(
      trx,
      mine.flatMap(({ rows }) => rows),
    );
    return payments;
  });
  const settled = new Map(moved.map((payment) => [payment.id, payment]));
  const others = [...outcomes.keys()].filter((id) => !settled.has(id));
  if (others.length > 0)
    for (const payment of await findPayments(deps.db, others)) settled.set(payment.id, payment);
  return settled;
}

/** Everything that can be worked out before the transaction is. */
function toOutcome(change: Change, eventId: string): Outcome {
  return { change, eventId, rows: toOutboxRows(change, eventId) };
}

function keyOf({ origin }: Payment) {
  return { callerId: origin.caller.id, requestId: origin.requestId };
}
