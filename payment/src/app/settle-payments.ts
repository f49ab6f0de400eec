/** Step (c). One transaction for many payments stores their outcomes and writes their events to the outbox. */
import { failed, faultPoint, type Logger, ok, type Result, splitOnFailure } from '@payflowx/chassis';
import { inTransaction, unlessBrokenOff } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import { type Decision, decide, isOwnDealing, isPayerUnknown, type Payment } from '../domain/payment.ts';
import type { Database } from '../store/database.ts';
import { releaseKeys } from '../store/idempotency-keys.ts';
import { findPayments } from '../store/payments.ts';
import { type SettledPayment, saveSettled } from '../store/settled-payments.ts';
import { countPayments } from './count-payments.ts';

export interface SettleDeps {
  db: Kysely<Database>;
  log: Logger;
}

export interface SettleRequest {
  payment: Payment;
  decision: Decision;
}

/**
 * Returns the settled payments, one result for each request, in order. The request itself and recovery may both settle one
 * payment. The second one gets the payment as the first stored it, and the event is published once.
 */
export async function settlePayments(
  deps: SettleDeps,
  requests: readonly SettleRequest[],
): Promise<Result<Payment>[]> {
  try {
    return await splitOnFailure(requests, (some) => settleTogether(deps, some));
  } catch (error) {
    deps.log.warn({ err: error, payments: requests.length }, 'could not store the outcomes of payments');
    throw error;
  }
}

async function settleTogether(
  deps: SettleDeps,
  requests: readonly SettleRequest[],
): Promise<Result<Payment>[]> {
  const settled = await settle(deps, requests);
  faultPoint('payment.after-settle');
  return requests.map(({ payment: { id } }) => {
    const payment = settled.get(id);
    return payment ? ok(payment) : failed(new Error(`Payment ${id} does not exist.`));
  });
}

async function settle(deps: SettleDeps, requests: readonly SettleRequest[]): Promise<Map<string, Payment>> {
  // By id, so that a payment that is twice in the flush is settled once.
  const outcomes = new Map(
    requests.map(({ payment, decision }) => [
      payment.id,
      { change: decide(payment, decision), eventId: decision.eventId },
    ]),
  );
  const moved = await store(deps.db, [...outcomes.values()]);
  const settled = new Map<string, Payment>();
  for (const [id, { change }] of outcomes) if (moved.has(id)) settled.set(id, change.payment);
  countPayments(settled.values());
  const others = [...outcomes.keys()].filter((id) => !moved.has(id));
  if (others.length > 0)
    for (const payment of await findPayments(deps.db, others)) settled.set(payment.id, payment);
  return settled;
}

/** Stores the outcomes. Returns the ids of the payments that were not settled before. */
async function store(db: Kysely<Database>, outcomes: readonly SettledPayment[]): Promise<Set<string>> {
  // The caller gets 404 or 403, which are not stored. The same key may be used again.
  const unanswered = outcomes
    .map(({ change }) => change.payment)
    .filter((payment) => isPayerUnknown(payment) || isOwnDealing(payment));
  if (unanswered.length === 0) return unlessBrokenOff(() => saveSettled(db, outcomes));
  return inTransaction(db, async (trx) => {
    const moved = await saveSettled(trx, outcomes);
    await releaseKeys(trx, unanswered.filter(({ id }) => moved.has(id)).map(keyOf));
    return moved;
  });
}

function keyOf({ origin }: Payment) {
  return { callerId: origin.caller.id, requestId: origin.requestId };
}
