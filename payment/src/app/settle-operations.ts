/**
 * Step (c) of an operation. One transaction for many operations stores their outcomes, payments and responses, and writes their
 * events to the outbox.
 */
import { failed, faultPoint, type Logger, ok, type Result, splitOnFailure } from '@payflowx/chassis';
import { insertOutbox, inTransaction, type OutboxRow } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { viewFor } from '../domain/access.ts';
import { type Operation, refusalOf, type Settlement, settle } from '../domain/operation.ts';
import type { Decision, Payment } from '../domain/payment.ts';
import { toOutboxRows } from '../messages/payment-event.ts';
import { encodePayment } from '../messages/payment-message.ts';
import { encodeRefund } from '../messages/refund-message.ts';
import type { Database } from '../store/database.ts';
import {
  findKeys,
  type Key,
  type StoredResponse,
  storeAnswers,
  storeRefusals,
} from '../store/idempotency-keys.ts';
import { findOperations, settleOperations as storeOutcomes } from '../store/operations.ts';
import { lockPayments, updatePayments } from '../store/payments.ts';
import { countOperations } from './count-payments.ts';
import { keyText, toRefusal } from './idempotency.ts';

export interface SettleOperationDeps {
  db: Kysely<Database>;
  log: Logger;
}

export interface SettleOperationRequest {
  operation: Operation;
  decision: Decision;
}

/**
 * The response to the caller (empty for an expiry, which has no caller), or WAITING if another operation's outcome must be stored
 * first.
 */
export type Settled = StoredResponse | 'WAITING';

/**
 * Returns one result for each request, in order. The request itself and recovery may both settle one operation. The second one
 * gets the response of the first, and the event is published once.
 */
export async function settleOperations(
  deps: SettleOperationDeps,
  requests: readonly SettleOperationRequest[],
): Promise<Result<Settled>[]> {
  try {
    return await splitOnFailure(requests, (some) => settleTogether(deps, some));
  } catch (error) {
    deps.log.warn({ err: error, operations: requests.length }, 'could not store the outcomes of operations');
    throw error;
  }
}

async function settleTogether(
  deps: SettleOperationDeps,
  requests: readonly SettleOperationRequest[],
): Promise<Result<Settled>[]> {
  const { results: settled, operations } = await inTransaction(deps.db, (trx) => store(deps, trx, requests));
  countOperations(operations);
  faultPoint('payment.after-operation-settled');
  return requests.map(({ operation }) => settled.get(operation.id) ?? failed(missing(operation)));
}

async function store(
  deps: SettleOperationDeps,
  trx: Transaction<Database>,
  requests: readonly SettleOperationRequest[],
): Promise<{ results: Map<string, Result<Settled>>; operations: Operation[] }> {
  // By id, so that an operation that is twice in the flush is settled once.
  const decisions = new Map(requests.map(({ operation, decision }) => [operation.id, decision]));
  const payments = await lockPayments(trx, [
    ...new Set(requests.map(({ operation }) => operation.paymentId)),
  ]);
  // Read after the payments are locked. Outcomes are stored only under these locks.
  const operations = await findOperations(trx, [...decisions.keys()]);
  const results = new Map<string, Result<Settled>>();
  const outcomes: Outcome[] = [];
  for (const [id, decision] of decisions) {
    const operation = operations.get(id);
    const payment = operation && payments.get(operation.paymentId);
    if (!operation || !payment || operation.state !== 'PENDING') continue;
    try {
      const settlement = settle(payment, operation, decision);
      if (settlement) {
        const outcome = toOutcome(settlement, decision.eventId);
        outcomes.push(outcome);
        // The next operation of the same payment starts from this state.
        payments.set(payment.id, settlement.payment);
        results.set(id, ok(outcome.answer));
      } else {
        results.set(id, ok('WAITING'));
      }
    } catch (error) {
      deps.log.error(
        { err: error, operation_id: id, payment_id: payment.id },
        'an operation cannot be settled',
      );
      results.set(id, failed(error));
    }
  }
  await storeResults(trx, outcomes, payments);
  const others = [...operations.values()].filter(({ id }) => !results.has(id));
  for (const [id, answer] of await storedResponsesOf(trx, others)) results.set(id, ok(answer));
  return { results, operations: outcomes.map(({ settlement }) => settlement.operation) };
}

interface Outcome {
  settlement: Settlement;
  eventId: string;
  key: Key | undefined;
  answer: StoredResponse;
  rows: OutboxRow[];
}

function toOutcome(settlement: Settlement, eventId: string): Outcome {
  const { operation, payment, change } = settlement;
  return {
    settlement,
    eventId,
    key: keyOf(operation),
    answer: toStoredResponse(operation, payment),
    rows: change ? toOutboxRows(change, eventId, operation) : [],
  };
}

function toStoredResponse(operation: Operation, payment: Payment): StoredResponse {
  if (operation.kind === 'REFUND') return { answer: Buffer.from(encodeRefund(operation, payment)) };
  if (operation.failure) return { refusal: toRefusal(refusalOf(payment, operation)) };
  return { answer: Buffer.from(encodePayment(viewOf(operation, payment))) };
}

/** Returns the payment as the caller of the operation may see it. */
function viewOf({ origin: { callerId = '', byOperator } }: Operation, payment: Payment): Payment {
  return viewFor({ id: callerId, roles: byOperator ? ['operator'] : [] }, payment);
}

function keyOf({ origin: { callerId, requestId } }: Operation): Key | undefined {
  return callerId !== undefined && requestId !== undefined ? { callerId, requestId } : undefined;
}

async function storeResults(
  trx: Transaction<Database>,
  outcomes: readonly Outcome[],
  payments: ReadonlyMap<string, Payment>,
): Promise<void> {
  if (outcomes.length === 0) return;
  const changed = new Set(outcomes.flatMap(({ settlement }) => settlement.change?.payment.id ?? []));
  if (changed.size > 0)
    await updatePayments(
      trx,
      [...payments.values()].filter(({ id }) => changed.has(id)),
    );
  await storeOutcomes(
    trx,
    outcomes.map(({ settlement: { operation, change }, eventId }) => ({
      operation,
      done: change && { eventId, payment: change.payment },
    })),
  );
  const answers = outcomes.flatMap(({ key, answer: { answer } }) =>
    key && answer ? { ...key, answer } : [],
  );
  const refusals = outcomes.flatMap(({ key, answer: { refusal } }) =>
    key && refusal ? { ...key, refusal } : [],
  );
  if (answers.length > 0) await storeAnswers(trx, answers);
  if (refusals.length > 0) await storeRefusals(trx, refusals);
  await insertOutbox(
    trx,
    outcomes.flatMap(({ rows }) => rows),
  );
}

/** Returns the stored responses of operations that are already settled. */
async function storedResponsesOf(
  trx: Transaction<Database>,
  operations: readonly Operation[],
): Promise<[string, StoredResponse][]> {
  const keys = operations.flatMap((operation) => keyOf(operation) ?? []);
  const seen = keys.length > 0 ? await findKeys(trx, keys) : [];
  const answers = new Map(seen.map((request) => [keyText(request), request]));
  return operations.map((operation) => {
    const key = keyOf(operation);
    return [operation.id, (key && answers.get(keyText(key))) ?? {}];
  });
}

function missing({ id }: Operation): Error {
  return new Error(`Operation ${id} or its payment does not exist.`);
}
