/**
 * Restores payments and operations that this database lost, from the events of the topic. They are stored as they were accepted,
 * without an outcome. Recovery then asks authorization, which repeats its first decision, and publishes the same events again.
 */
import { sql, type Transaction } from 'kysely';
import type { Operation, RequestedKind } from '../domain/operation.ts';
import type { Order } from '../domain/order.ts';
import type { PastEvent, PastStart } from '../messages/past-event.ts';
import { type AcceptedPayment, restoreAccepted } from '../store/accepted-payments.ts';
import type { Database } from '../store/database.ts';
import { type KeyedStep, restoreKeys } from '../store/idempotency-keys.ts';
import { findOperations, insertOperations, setOwners } from '../store/operations.ts';
import { findPayments } from '../store/payments.ts';
import { type Creation, fingerprintOf, fingerprintOfStep, type Rpc } from './fingerprint.ts';

export interface RestoreDeps {
  /** One for the whole topic, so that a run that is killed has changed nothing. */
  trx: Transaction<Database>;
  /** False only counts. */
  isReal: boolean;
  /** Ids of the payments that earlier calls restored, or would have restored. */
  restored: ReadonlySet<string>;
}

/** Ids. */
export interface Restored {
  payments: string[];
  operations: string[];
  /** Payments that are missing, or lack operations, and whose events are of an earlier version. */
  incomplete: string[];
}

const CREATIONS = {
  PAYMENT: 'CreatePayment',
  DEPOSIT: 'CreateDeposit',
  WITHDRAWAL: 'CreateWithdrawal',
} as const satisfies Record<Order['kind'], Creation>;

const STEPS = {
  CAPTURE: 'CapturePayment',
  CANCEL: 'CancelPayment',
  REFUND: 'CreateRefund',
} as const satisfies Record<RequestedKind, Rpc>;

/** Recovery takes restored operations of one payment in their order, with this pause between two. */
const STEP_PAUSE_MS = 1_000;

/** Other sessions can read, and wait with their writes until the transaction ends. */
export async function lockTables(trx: Transaction<Database>): Promise<void> {
  await sql`lock table payments, operations, idempotency_keys in exclusive mode`.execute(trx);
}

/** Safe to repeat, and with events in any order. Existing rows are not changed. */
export async function restorePayments(
  { trx, isReal, restored }: RestoreDeps,
  events: readonly PastEvent[],
): Promise<Restored> {
  const paymentIds = [...new Set(events.map(({ paymentId }) => paymentId))];
  const versions = new Map((await findPayments(trx, paymentIds)).map(({ id, version }) => [id, version]));
  const starts = events.flatMap(({ start, paymentId }) => (start && !versions.has(paymentId) ? start : []));
  const lost = new Map(starts.map((start) => [start.change.payment.id, start]));
  const isThere = (id: string) => versions.has(id) || lost.has(id) || restored.has(id);

  const steps = events.flatMap(({ operation, version, owners }) =>
    operation ? { operation, version, owners } : [],
  );
  const ids = steps.map(({ operation }) => operation.id);
  const knownSteps = await findOperations(trx, ids);
  const missing = new Map(steps.map((step) => [step.operation.id, step]));
  for (const id of knownSteps.keys()) missing.delete(id);
  const possible = [...missing.values()].filter(({ operation }) => isThere(operation.paymentId));

  if (isReal && lost.size > 0) await restoreAccepted(trx, [...lost.values()].map(toAccepted));
  if (isReal && possible.length > 0) await restoreOperations(trx, possible);
  return {
    payments: [...lost.keys()],
    operations: possible.map(({ operation }) => operation.id),
    incomplete: events
      .filter(
        ({ isIncomplete, paymentId, version }) => isIncomplete && version > (versions.get(paymentId) ?? 0n),
      )
      .map(({ paymentId }) => paymentId),
  };
}

function toAccepted({ change, order, eventId }: PastStart): AcceptedPayment {
  const { id, origin } = change.payment;
  const operation = CREATIONS[order.kind];
  const keyed = {
    callerId: origin.caller.id,
    requestId: origin.requestId,
    operation,
    fingerprint: fingerprintOf(operation, order),
    paymentId: id,
  };
  // Recovery takes them up at once.
  return { change, eventId, keyed, dueAfterMs: 0 };
}

/** `version` is that of the payment after the operation. */
type Step = Pick<PastEvent, 'version' | 'owners'> & { operation: Operation };

async function restoreOperations(trx: Transaction<Database>, steps: readonly Step[]): Promise<void> {
  for (const { operation, version, owners } of steps) {
    const dueInMs = Number(version) * STEP_PAUSE_MS;
    await insertOperations(trx, [operation], Date.now() - operation.createdAt.getTime() + dueInMs);
    await setOwners(trx, operation.id, owners);
  }
  await restoreKeys(
    trx,
    steps.flatMap(({ operation }) => keyOf(operation) ?? []),
  );
}

/** Undefined for an expiry, which has no caller. */
function keyOf(operation: Operation): (KeyedStep & { createdAt: Date }) | undefined {
  const { id, paymentId, kind, amountMinor, takesRest, final, reason, notes, origin, createdAt } = operation;
  if (kind === 'EXPIRE' || origin.callerId === undefined || origin.requestId === undefined) return undefined;
  const rpc = STEPS[kind];
  const named = kind === 'CANCEL' || takesRest ? undefined : amountMinor;
  const fingerprint = fingerprintOfStep(rpc, paymentId, { kind, amountMinor: named, final, reason, notes });
  const { callerId, requestId } = origin;
  return { callerId, requestId, operation: rpc, fingerprint, paymentId, operationId: id, createdAt };
}
