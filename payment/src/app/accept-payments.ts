/**
 * Step (a). One transaction for many requests takes their idempotency keys, stores their payments, and writes their events to the
 * outbox.
 */
import { failed, faultPoint, isLockTimeout, ok, type Result, splitOnFailure } from '@payflowx/chassis';
import { unlessBrokenOff } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import type { Order } from '../domain/order.ts';
import { initiate, type Origin, type Payment } from '../domain/payment.ts';
import { saveAccepted } from '../store/accepted-payments.ts';
import type { Database } from '../store/database.ts';
import { findKeys, type KeyedRequest, type SeenRequest } from '../store/idempotency-keys.ts';
import { findAsDecided } from '../store/payments.ts';
import { type Creation, fingerprintOf } from './fingerprint.ts';
import { inProgress, keyText, replayRefusal, tooLate } from './idempotency.ts';

export interface AcceptDeps {
  db: Kysely<Database>;
  now(): Date;
  newId(prefix: 'pay' | 'evt'): string;
  /** Milliseconds that a hold lasts. */
  holdMs: number;
  /** Milliseconds until recovery takes up a payment without an outcome. */
  recoverAfterMs: number;
}

export interface AcceptRequest {
  operation: Creation;
  order: Order;
  origin: Origin;
  /** The caller stops waiting at this time. After it, nothing is started. */
  deadline: Date;
  /** True if the call is a retry. The first attempt may already have taken the key. */
  isRetry: boolean;
  /** Milliseconds after which recovery decides the payment, and nothing before. Undefined: it is decided at once. */
  delayMs?: number | undefined;
}

/** A payment without an outcome. For a request that was seen before, it is the payment of the first response. */
export interface Acceptance {
  payment: Payment;
  replayed: boolean;
}

/**
 * Returns one result for each request, in order. An item fails with IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS or
 * DEADLINE_EXCEEDED. A retry does not fail with IDEMPOTENCY_IN_PROGRESS because of its own first attempt. It continues with that
 * attempt's payment. An item that the database does not accept fails with the database's error, and only this item.
 *
 * Rejects if the database is unavailable. Either nothing was started, or only a response of the database was lost and recovery
 * finishes the payments.
 */
export function acceptPayments(
  deps: AcceptDeps,
  requests: readonly AcceptRequest[],
): Promise<Result<Acceptance>[]> {
  return splitOnFailure(requests, (some) => acceptTogether(deps, some));
}

async function acceptTogether(
  deps: AcceptDeps,
  requests: readonly AcceptRequest[],
): Promise<Result<Acceptance>[]> {
  const now = deps.now();
  const items = requests.map((request) => prepare(deps, request, now));
  const awaited = items.filter(({ deadline }) => deadline > now);
  const { taken, seen, answered } = await store(deps, awaited).catch((error) => {
    // Only the lock on its idempotency key can delay a new payment. Another transaction is taking the same key.
    throw isLockTimeout(error) && requests.length === 1 ? inProgress() : error;
  });
  faultPoint('payment.after-accept');
  return items.map((item) => {
    if (item.deadline <= now) return failed(tooLate());
    if (taken.has(item.keyed.paymentId)) return ok({ payment: item.change.payment, replayed: false });
    return replay(item, seen.get(keyText(item.keyed)), answered);
  });
}

/** The first response is not stored. It is rebuilt from the payment that the key was taken for. */
function replay(
  { keyed, isRetry }: Item,
  first: SeenRequest | undefined,
  answered: ReadonlyMap<string, Payment>,
): Result<Acceptance> {
  const refusal = replayRefusal(keyed, first);
  if (refusal) return failed(refusal);
  const payment = first && answered.get(first.paymentId);
  if (payment === undefined) return failed(inProgress());
  if (payment.state !== 'INITIATED') return ok({ payment, replayed: true });
  return isRetry ? ok({ payment, replayed: false }) : failed(inProgress());
}

type Item = ReturnType<typeof prepare>;

function prepare({ newId, holdMs, recoverAfterMs }: AcceptDeps, request: AcceptRequest, now: Date) {
  const { operation, order, origin, deadline, isRetry, delayMs: dueAfterMs = recoverAfterMs } = request;
  const change = initiate(order, { id: newId('pay'), origin, now, holdMs });
  const keyed: KeyedRequest = {
    callerId: origin.caller.id,
    requestId: origin.requestId,
    operation,
    fingerprint: fingerprintOf(operation, order),
    paymentId: change.payment.id,
  };
  return { change, eventId: newId('evt'), keyed, deadline, isRetry, dueAfterMs };
}

interface Stored {
  /** Ids of the payments whose keys were unused. */
  taken: ReadonlySet<string>;
  /** The first requests with the other keys, by key. `answered` has their payments as the first response showed them, by id. */
  seen: ReadonlyMap<string, SeenRequest>;
  answered: ReadonlyMap<string, Payment>;
}

const NOTHING: Stored = { taken: new Set(), seen: new Map(), answered: new Map() };

async function store({ db }: AcceptDeps, items: readonly Item[]): Promise<Stored> {
  if (items.length === 0) return NOTHING;
  const taken = await unlessBrokenOff(() => saveAccepted(db, items));
  const others = items.map(({ keyed }) => keyed).filter(({ paymentId }) => !taken.has(paymentId));
  return { ...NOTHING, ...(others.length > 0 && (await findFirst(db, others))), taken };
}

async function findFirst(db: Kysely<Database>, requests: readonly KeyedRequest[]) {
  const found = await findKeys(db, requests);
  const answered = await findAsDecided(
    db,
    found.map(({ paymentId }) => paymentId),
  );
  return { seen: new Map(found.map((request) => [keyText(request), request])), answered };
}
