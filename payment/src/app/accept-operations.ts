/**
 * Step (a) of an operation. One transaction for many requests takes their keys, locks their payments, and stores the operations.
 */
import { type Caller, failed, faultPoint, ok, type Result, splitOnFailure } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { requireAction } from '../domain/access.ts';
import { PaymentError } from '../domain/errors.ts';
import { begin, type Operation, type RequestedKind, type Terms } from '../domain/operation.ts';
import type { Payment } from '../domain/payment.ts';
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
import { keyText, type Replay, replay, replayRefusal, tooLate, toRefusal } from './idempotency.ts';

export interface AcceptOperationDeps {
  db: Kysely<Database>;
  now(): Date;
  newId(prefix: 'cap' | 'can' | 'ref'): string;
  /** Milliseconds until recovery takes up an operation without an outcome. */
  recoverAfterMs: number;
}

export interface OperationRequest {
  paymentId: string;
  terms: Terms;
  caller: Caller;
  requestId: string;
  traceparent: string;
  /** The caller stops waiting at this time. After it, nothing is started. */
  deadline: Date;
  /** True if the call is a retry. The first attempt may already have taken the key. */
  isRetry: boolean;
}

/** An operation without an outcome, and the current state of its payment. */
export interface Begun {
  operation: Operation;
  payment: Payment;
}

/** A new operation, or the stored response to a request that was seen before: an encoded Payment or Refund message. */
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

/** Refusals that are not stored. The same key may be used again, after the payment exists or by another caller. */
const NOT_STORED: readonly string[] = ['PAYMENT_NOT_FOUND', 'ACTION_NOT_ALLOWED', 'OWN_ACCOUNT'];

/**
 * Returns one result for each request, in order. An item fails with PAYMENT_NOT_FOUND, ACTION_NOT_ALLOWED, OWN_ACCOUNT, INVALID_STATE,
 * CAPTURE_EXCEEDS_AUTHORIZED, REFUND_EXCEEDS_CAPTURED, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS or DEADLINE_EXCEEDED. A
 * retry does not fail with IDEMPOTENCY_IN_PROGRESS because of its own first attempt. It continues with that attempt's operation.
 * An item that the database does not accept fails with the database's error, and only this item.
 *
 * Rejects if the database is unavailable. Either nothing was started, or only the response to the commit was lost and recovery
 * finishes the operations.
 */
export function acceptOperations(
  deps: AcceptOperationDeps,
  requests: readonly OperationRequest[],
): Promise<Result<OperationAcceptance>[]> {
  return splitOnFailure(requests, (some) => acceptTogether(deps, some));
}

async function acceptTogether(
  deps: AcceptOperationDeps,
  requests: readonly OperationRequest[],
): Promise<Result<OperationAcceptance>[]> {
  const now = deps.now();
  const items = requests.map((request) => prepare(deps, request));
  const awaited = items.filter(({ request }) => request.deadline > now);
  const results =
    awaited.length > 0 ? await inTransaction(deps.db, (trx) => store(deps, trx, awaited, now)) : new Map();
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
  await storeResults(deps, trx, results);

  const others = items.filter((item) => !results.has(item));
  const seen =
    others.length > 0
      ? await findKeys(
          trx,
          others.map((item) => item.keyed),
        )
      : [];
  const firsts = new Map(seen.map((request) => [keyText(request), request]));
  const replayed = others.map((item) => {
    const first = firsts.get(keyText(item.keyed));
    return { item, first, inProgress: operationInProgress(item, first) };
  });
  const begun = await findBegun(
    trx,
    replayed.flatMap(({ inProgress }) => inProgress ?? []),
  );
  for (const { item, first, inProgress } of replayed) {
    const mine = inProgress === undefined ? undefined : begun.get(inProgress);
    results.set(item, mine ? ok(mine) : replay(item.keyed, first));
  }
  return results;
}

/** Returns the operation that the first attempt of a retry started, if it has no response yet. */
function operationInProgress({ request, keyed }: Item, first: SeenRequest | undefined): string | undefined {
  if (!request.isRetry || !first?.operationId || replayRefusal(keyed, first)) return undefined;
  return first.answer || first.refusal ? undefined : first.operationId;
}

/** Returns operations by id, with their payments. */
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

/** Starts the operations in order. Each one sees the operations that were started before it. */
async function beginAll(
  trx: Transaction<Database>,
  items: readonly Item[],
  now: Date,
): Promise<[Item, Result<Begun>][]> {
  if (items.length === 0) return [];
  const ids = [...new Set(items.map(({ request }) => request.paymentId))];
  const payments = await lockPayments(trx, ids);
  // Read after the locks are taken, because the previous holder of a lock may have stored one more operation.
  const pending = Map.groupBy(await findPending(trx, ids), ({ paymentId }) => paymentId);
  return items.map((item) => {
    const { request, keyed } = item;
    const competing = pending.get(request.paymentId) ?? [];
    try {
      const begun = beginOne(request, keyed.operationId, payments.get(request.paymentId), competing, now);
      pending.set(request.paymentId, [...competing, begun.operation]);
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
  competing: readonly Operation[],
  now: Date,
): Begun {
  requireAction(caller, payment, terms.kind);
  const byOperator = caller.roles.includes('operator');
  const origin = { callerId: caller.id, clientId: caller.clientId, byOperator, requestId, traceparent };
  return { operation: begin(payment, competing, terms, { id, origin, now }), payment };
}

async function storeResults(
  { recoverAfterMs }: AcceptOperationDeps,
  trx: Transaction<Database>,
  results: ReadonlyMap<Item, Result<OperationAcceptance>>,
): Promise<void> {
  const begun: Operation[] = [];
  const refused: Parameters<typeof storeRefusals>[1][number][] = [];
  const notStored: KeyedRequest[] = [];
  for (const [{ keyed }, result] of results) {
    if (result.ok) {
      if ('operation' in result.value) begun.push(result.value.operation);
    } else if (!(result.error instanceof PaymentError)) {
      throw result.error;
    } else if (NOT_STORED.includes(result.error.reason)) {
      notStored.push(keyed);
    } else {
      refused.push({ ...keyed, refusal: toRefusal(result.error) });
    }
  }
  if (begun.length > 0) await insertOperations(trx, begun, recoverAfterMs);
  if (refused.length > 0) await storeRefusals(trx, refused);
  if (notStored.length > 0) await releaseKeys(trx, notStored);
}
