/** Step (a): in one transaction for many requests, take their idempotency keys, store their payments, and announce them. */
import { failed, faultPoint, isLockTimeout, ok, type Result } from '@payflowx/chassis';
import { unlessBrokenOff } from '@payflowx/chassis/postgres';
import type { Kysely } from 'kysely';
import type { Order } from '../domain/order.ts';
import { initiate, type Origin, type Payment } from '../domain/payment.ts';
import { saveAccepted } from '../store/accepted-payments.ts';
import type { Database } from '../store/database.ts';
import { findKeys, type KeyedRequest, type SeenRequest } from '../store/idempotency-keys.ts';
import { findAsAnswered } from '../store/payments.ts';
import { type Creation, fingerprintOf } from './fingerprint.ts';
import { inProgress, keyText, tooLate, whyNotReplayed } from './idempotency.ts';

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
  /** Whether this is a call sent again: the first attempt may have taken the key already. */
  isRetry: boolean;
}

/** A payment without an outcome; or, for a request that was seen before, the payment as it was first answered. */
export interface Acceptance {
  payment: Payment;
  replayed: boolean;
}

/**
 * One result each, in order. Fails an item with IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS or DEADLINE_EXCEEDED. A retry is not
 * told that its own first attempt is in progress: it goes on with the payment from there.
 * Rejects if the database is away: nothing was begun then, or, if only an answer of it was lost, recovery finishes what was begun.
 */
export async function acceptPayments(
  deps: AcceptDeps,
  requests: readonly AcceptRequest[],
): Promise<Result<Acceptance>[]> {
  const now = deps.now();
  const items = requests.map((request) => prepare(deps, request, now));
  const inTime = items.filter(({ deadline }) => deadline > now);
  const { taken, seen, answered } = await store(deps, inTime).catch((error) => {
    // The one lock that can hold up a new payment is its key's: somebody else is taking it.
    throw isLockTimeout(error) && requests.length === 1 ? inProgress() : error;
  });
  faultPoint('payment.after-accept');
  return items.map((item) => {
    if (item.deadline <= now) return failed(tooLate());
    if (taken.has(item.keyed.paymentId)) return ok({ payment: item.change.payment, replayed: false });
    return replay(item, seen.get(keyText(item.keyed)), answered);
  });
}

/** The answer is no row of its own: it follows from the payment that the key was taken for. */
function replay(
  { keyed, isRetry }: Item,
  first: SeenRequest | undefined,
  answered: ReadonlyMap<string, Payment>,
): Result<Acceptance> {
  const refusal = whyNotReplayed(keyed, first);
  if (refusal) return failed(refusal);
  const payment = first && answered.get(first.paymentId);
  if (payment === undefined) return failed(inProgress());
  if (payment.state !== 'INITIATED') return ok({ payment, replayed: true });
  return isRetry ? ok({ payment, replayed: false }) : failed(inProgress());
}

type Item = ReturnType<typeof prepare>;

function prepare({ newId, holdMs }: AcceptDeps, request: AcceptRequest, now: Date) {
  const { operation, order, origin, deadline, isRetry } = request;
  const change = initiate(order, { id: newId('pay'), origin, now, holdMs });
  const keyed: KeyedRequest = {
    callerId: origin.caller.id,
    requestId: origin.requestId,
    operation,
    fingerprint: fingerprintOf(operation, order),
    paymentId: change.payment.id,
  };
  return { change, eventId: newId('evt'), keyed, deadline, isRetry };
}

interface Stored {
  /** The payments whose keys nobody had used. */
  taken: ReadonlySet<string>;
  /** Who used the other keys first, by key, and their payments as they were first answered, by id. */
  seen: ReadonlyMap<string, SeenRequest>;
  answered: ReadonlyMap<string, Payment>;
}

const NOTHING: Stored = { taken: new Set(), seen: new Map(), answered: new Map() };

async function store({ db, recoverAfterMs }: AcceptDeps, items: readonly Item[]): Promise<Stored> {
  if (items.length === 0) return NOTHING;
  const taken = await unlessBrokenOff(() => saveAccepted(db, items, recoverAfterMs));
  const others = items.map(({ keyed }) => keyed).filter(({ paymentId }) => !taken.has(paymentId));
  return { ...NOTHING, ...(others.length > 0 && (await findFirst(db, others))), taken };
}

async function findFirst(db: Kysely<Database>, requests: readonly KeyedRequest[]) {
  const found = await findKeys(db, requests);
  const answered = await findAsAnswered(
    db,
    found.map(({ paymentId }) => paymentId),
  );
  return { seen: new Map(found.map((request) => [keyText(request), request])), answered };
}
