/** Step (a) of an operation: in one transaction for many requests, take their keys, lock their payments, and store what they ask for. */
import { failed, faultPoint, ok, type Result } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { requireAction } from '../domain/access.ts';
import { PaymentError } from '../domain/errors.ts';
import { begin, type Operation, type RequestedKind, type Terms } from '../domain/operation.ts';
import type { Caller, Payment } from '../domain/payment.ts';
import type { Database } from '../store/database.ts';
import {
  findKeys,
  type KeyedRequest,
  type KeyedStep,
  releaseKeys,
  type SeenRequest,
  storeRefusals,
  takeKeys,
} from '../store/idempotency-keys.ts';
import { findOperations, findPending, insertOperations } from '../store/operations.ts';
import { findPayments, lockPayments } from '../store/payments.ts';
import { fingerprintOfStep, type Rpc } from './fingerprint.ts';
import { keyText, type Replay, replay, tooLate, toRefusal, whyNotReplayed } from './idempotency.ts';

export interface AcceptOperationDeps {
  db: Kysely<Database>;
  now(): Date;
  newId(prefix: 'cap' | 'can' | 'ref'): string;
  /** From when on recovery takes up an operation without an outcome. */
  recoverAfterMs: number;
}

export interface OperationRequest {
  paymentId: string;
  terms: Terms;
  caller: Caller;
  requestId: string;
  traceparent: string;
  /** Past this the caller is gone, and nothing is begun. */
  deadline: Date;
  /** Whether this is a call sent again: the first attempt may have taken the key already. */
  isRetry: boolean;
}

/** An operation without an outcome, and its payment as it stands. */
export interface Begun {
  operation: Operation;
  payment: Payment;
}

/** Either that, or the first answer to a request that was seen before: an encoded Payment or Refund message. */
export type OperationAcceptance = Begun | Replay;

const RPCS: Record<RequestedKind, Rpc> = {
  CAPTURE: 'CapturePayment',
  CANCEL: 'CancelPayment',
  REFUND: 'CreateRefund',
};
const PREFIXES = { CAPTURE: 'cap', CANCEL: 'can', REFUND: 'ref' } as const satisfies Record<
  RequestedKind,
  string
>;

/** What is no answer to keep: the same key may be used again, once the payment is there or the caller another one. */
const FORGOTTEN: readonly string[] = ['PAYMENT_NOT_FOUND', 'ACTION_NOT_ALLOWED'];

/**
 * One result each, in order. Fails an item with PAYMENT_NOT_FOUND, ACTION_NOT_ALLOWED, INVALID_STATE, CAPTURE_EXCEEDS_AUTHORIZED,
 * REFUND_EXCEEDS_CAPTURED, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS or DEADLINE_EXCEEDED. A retry is not told that its own
 * first attempt is in progress: it goes on with the operation from there.
 * Rejects if the database is away: nothing was begun then, or, if only the answer to the commit was lost, recovery finishes it.
 */
export async function acceptOperations(
  deps: AcceptOperationDeps,
  requests: readonly OperationRequest[],
): Promise<Result<OperationAcceptance>[]> {
  const now = deps.now();
  const items = requests.map((request) => prepare(deps, request));
  const inTime = items.filter(({ request }) => request.deadline > now);
  const results =
    inTime.length > 0 ? await inTransaction(deps.db, (trx) => store(deps, trx, inTime, now)) : new Map();
  faultPoint('payment.after-operation-accept');
  return items.map((item) => results.get(item) ?? failed(tooLate()));
}

interface Item {
  request: OperationRequest;
  keyed: KeyedStep;
}

function prepare({ newId }: AcceptOperationDeps, request: OperationRequest): Item {
  const { paymentId, terms, caller, requestId } = request;
  const operation = RPCS[terms.kind];
  const fingerprint = fingerprintOfStep(operation, paymentId, terms);
  const operationId = newId(PREFIXES[terms.kind]);
  return {
    request,
    keyed: { callerId: caller.id, requestId, operation, fingerprint, paymentId, operationId },
  };
}

async function store(
  deps: AcceptOperationDeps,
  trx: Transaction<Database>,
  items: readonly Item[],
  now: Date,
): Promise<Map<Item, Result<OperationAcceptance>>> {
  const keyed = items.map((item) => item.keyed);
  const taken = await takeKeys(trx, keyed, now);
  const mine = items.filter((item) => taken.has(item.keyed.operationId));
  const results = new Map<Item, Result<OperationAcceptance>>(await beginAll(trx, mine, now));
  await keep(deps, trx, results);

  const others = items.filter((item) => !results.has(item));
  const seen =
    others.length > 0
      ? await findKeys(
          trx,
          others.map((item) => item.keyed),
        )
      : [];
  const firsts = new Map(seen.map((request) => [keyText(request), request]));
  const replayed = others.map((item) => [item, firsts.get(keyText(item.keyed))] as const);
  const begun = await findBegun(trx, replayed.flatMap(operationInProgress));
  for (const [item, first] of replayed) {
    const mine = begun.get(operationInProgress([item, first])[0] ?? '');
    results.set(item, mine ? ok(mine) : replay(item.keyed, first));
  }
  return results;
}

/** The operation that a retry's own first attempt has begun, if it has no answer yet. */
function operationInProgress([{ request, keyed }, first]: readonly [
  Item,
  SeenRequest | undefined,
]): string[] {
  if (!request.isRetry || !first?.operationId || whyNotReplayed(keyed, first)) return [];
  return first.answer || first.refusal ? [] : [first.operationId];
}

/** Operations by id, with their payments. */
async function findBegun(trx: Transaction<Database>, ids: readonly string[]): Promise<Map<string, Begun>> {
  if (ids.length === 0) return new Map();
  const operations = await findOperations(trx, ids);
  const paymentIds = [...operations.values()].map(({ paymentId }) => paymentId);
  const payments = new Map((await findPayments(trx, paymentIds)).map((payment) => [payment.id, payment]));
  const begun = new Map<string, Begun>();
  for (const [id, operation] of operations) {
    const payment = payments.get(operation.paymentId);
    if (payment) begun.set(id, { operation, payment });
  }
  return begun;
}

/** Each item sees what those before it have begun. */
async function beginAll(
  trx: Transaction<Database>,
  items: readonly Item[],
  now: Date,
): Promise<[Item, Result<Begun>][]> {
  if (items.length === 0) return [];
  const ids = [...new Set(items.map(({ request }) => request.paymentId))];
  const payments = await lockPayments(trx, ids);
  // Read after the locks were taken: whoever held them before may have stored one more.
  const pending = Map.groupBy(await findPending(trx, ids), ({ paymentId }) => paymentId);
  return items.map((item) => {
    const { request, keyed } = item;
    const rivals = pending.get(request.paymentId) ?? [];
    try {
      const begun = beginOne(request, keyed.operationId, payments.get(request.paymentId), rivals, now);
      pending.set(request.paymentId, [...rivals, begun.operation]);
      return [item, ok(begun)];
    } catch (error) {
      return [item, failed(error)];
    }
  });
}

function beginOne(
  { caller, terms, requestId, traceparent }: OperationRequest,
  id: string,
  payment: Payment | undefined,
  rivals: readonly Operation[],
  now: Date,
): Begun {
  requireAction(caller, payment, terms.kind);
  const origin = { callerId: caller.id, requestId, traceparent };
  return { operation: begin(payment, rivals, terms, { id, origin, now }), payment };
}

async function keep(
  { recoverAfterMs }: AcceptOperationDeps,
  trx: Transaction<Database>,
  results: ReadonlyMap<Item, Result<OperationAcceptance>>,
): Promise<void> {
  const begun: Operation[] = [];
  const refused: Parameters<typeof storeRefusals>[1][number][] = [];
  const forgotten: KeyedRequest[] = [];
  for (const [{ keyed }, result] of results) {
    if (result.ok) {
      if ('operation' in result.value) begun.push(result.value.operation);
    } else if (!(result.error instanceof PaymentError)) {
      throw result.error;
    } else if (FORGOTTEN.includes(result.error.reason)) {
      forgotten.push(keyed);
    } else {
      refused.push({ ...keyed, refusal: toRefusal(result.error) });
    }
  }
  if (begun.length > 0) await insertOperations(trx, begun, recoverAfterMs);
  if (refused.length > 0) await storeRefusals(trx, refused);
  if (forgotten.length > 0) await releaseKeys(trx, forgotten);
}
