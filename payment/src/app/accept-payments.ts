/** Step (a): in one transaction for many requests, take their idempotency keys, store their payments, and announce them. */
import { failed, faultPoint, insertOutbox, inTransaction, ok, type Result } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Order } from '../domain/order.ts';
import { initiate, type Origin, type Payment } from '../domain/payment.ts';
import { toOutboxRows } from '../messages/payment-event.ts';
import { encodePayment } from '../messages/payment-message.ts';
import type { Database } from '../store/database.ts';
import { findKeys, type KeyedRequest, type SeenRequest, takeKeys } from '../store/idempotency-keys.ts';
import { insertPayments } from '../store/payments.ts';
import { type Creation, fingerprintOf } from './fingerprint.ts';
import { keyText, type Replay, replay, tooLate } from './idempotency.ts';

export interface AcceptDeps {
  db: Kysely<Database>;
  now(): Date;
  newId(prefix: 'pay' | 'evt'): string;
  /** How long a hold lasts. */
  holdMs: number;
  /** From when on recovery takes up a payment without an outcome. */
  recoverAfterMs: number;
}

export interface AcceptRequest {
  operation: Creation;
  order: Order;
  origin: Origin;
  /** Past this the caller is gone, and nothing is begun. */
  deadline: Date;
}

/** Either a payment that has just begun, or the first answer to a request that was seen before: an encoded Payment message. */
export type Acceptance = { payment: Payment } | Replay;

/**
 * One result each, in order. Fails an item with IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS or DEADLINE_EXCEEDED.
 * Rejects if the database is away: nothing was begun then, or, if only the answer to the commit was lost, recovery finishes it.
 */
export async function acceptPayments(
  deps: AcceptDeps,
  requests: readonly AcceptRequest[],
): Promise<Result<Acceptance>[]> {
  const now = deps.now();
  const items = requests.map((request) => prepare(deps, request, now));
  const inTime = items.filter(({ deadline }) => deadline > now);
  const { taken, seen } = await store(deps, inTime, now);
  faultPoint('payment.after-accept');
  return items.map((item) => {
    if (item.deadline <= now) return failed(tooLate());
    if (taken.has(item.keyed.paymentId)) return ok({ payment: item.change.payment });
    return replay(item.keyed, seen.get(keyText(item.keyed)));
  });
}

type Item = ReturnType<typeof prepare>;

function prepare({ newId, holdMs }: AcceptDeps, request: AcceptRequest, now: Date) {
  const { operation, order, origin, deadline } = request;
  const change = initiate(order, { id: newId('pay'), origin, now, holdMs });
  const keyed: KeyedRequest = {
    callerId: origin.caller.id,
    requestId: origin.requestId,
    operation,
    fingerprint: fingerprintOf(operation, order),
    paymentId: change.payment.id,
  };
  return { change, eventId: newId('evt'), keyed, deadline };
}

async function store(deps: AcceptDeps, items: readonly Item[], now: Date) {
  if (items.length === 0) return { taken: new Set<string>(), seen: new Map<string, SeenRequest>() };
  const { db, recoverAfterMs } = deps;
  const keyed = items.map((item) => item.keyed);
  return inTransaction(db, async (trx) => {
    const taken = await takeKeys(trx, keyed, now);
    const begun = items.filter((item) => taken.has(item.keyed.paymentId));
    if (begun.length > 0) {
      const announced = begun.map(({ change: { payment }, eventId }) => ({ payment, eventId }));
      await insertPayments(trx, announced, recoverAfterMs);
      await insertOutbox(
        trx,
        begun.flatMap(({ change, eventId }) => toOutboxRows(change, eventId, encodePayment(change.payment))),
      );
    }
    const others = keyed.filter(({ paymentId }) => !taken.has(paymentId));
    const found = others.length > 0 ? await findKeys(trx, others) : [];
    return { taken, seen: new Map(found.map((request) => [keyText(request), request])) };
  });
}
