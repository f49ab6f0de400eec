/**
 * Reads and writes the table operations. It has one row for each capture, cancel, expiry and refund. Rows are written in batches,
 * under the lock of their payment.
 */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { Operation } from '../domain/operation.ts';
import type { Payment } from '../domain/payment.ts';
import { type Claim, type Claimed, claimDue } from './claim-due.ts';
import type { Database, OperationsTable } from './database.ts';

export const OPERATION_COLUMNS = [
  'id',
  'payment_id',
  'kind',
  'state',
  'amount_minor',
  'takes_rest',
  'final',
  'reason',
  'reference',
  'metadata',
  'failure_code',
  'failure_message',
  'decision',
  'caller_id',
  'client_id',
  'by_operator',
  'request_id',
  'traceparent',
  'attempts',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof OperationsTable)[];

export type OperationRow = Pick<Selectable<OperationsTable>, (typeof OPERATION_COLUMNS)[number]>;

const RETURNED = sql.raw(OPERATION_COLUMNS.map((column) => `o.${column}`).join(', '));

/**
 * Stores new operations and returns the ids of the stored ones. A second expiry of one hold is left out.
 *
 * Recovery skips the operations for `recoverAfterMs`.
 */
export async function insertOperations(
  trx: Transaction<Database>,
  operations: readonly Operation[],
  recoverAfterMs: number,
): Promise<Set<string>> {
  const rows = operations.map(({ origin, ...operation }) => ({
    id: operation.id,
    payment_id: operation.paymentId,
    kind: operation.kind,
    state: operation.state,
    amount_minor: operation.amountMinor,
    takes_rest: operation.takesRest,
    final: operation.final,
    reason: operation.reason,
    reference: operation.notes.reference,
    metadata: JSON.stringify(operation.notes.metadata),
    caller_id: origin.callerId,
    client_id: origin.clientId,
    by_operator: origin.byOperator ?? false,
    request_id: origin.requestId,
    traceparent: origin.traceparent,
    created_at: operation.createdAt,
    next_attempt_at: new Date(operation.createdAt.getTime() + recoverAfterMs),
  }));
  const { rows: stored } = await sql<{ id: string }>`
    insert into operations (
      id, payment_id, kind, state, amount_minor, takes_rest, final, reason, caller_id, client_id, by_operator, request_id,
      traceparent, created_at, updated_at, next_attempt_at, reference, metadata,
      from_account, to_account, from_owner_id, to_owner_id
    )
    select
      r.id, r.payment_id, r.kind, r.state, r.amount_minor, r.takes_rest, r.final, r.reason, r.caller_id, r.client_id,
      r.by_operator, r.request_id, r.traceparent, r.created_at, r.created_at, r.next_attempt_at, r.reference, r.metadata,
      p.from_account, p.to_account, p.from_owner_id, p.to_owner_id
    from ${unnest(rows, {
      id: 'text',
      payment_id: 'text',
      kind: 'text',
      state: 'text',
      amount_minor: 'int8',
      takes_rest: 'bool',
      final: 'bool',
      reason: 'text',
      caller_id: 'text',
      client_id: 'text',
      by_operator: 'bool',
      request_id: 'text',
      traceparent: 'text',
      created_at: 'timestamptz',
      next_attempt_at: 'timestamptz',
      reference: 'text',
      metadata: 'json',
    })} as r join payments as p on p.id = r.payment_id
    on conflict (payment_id) where kind = 'EXPIRE' and state <> 'DECLINED' do nothing
    returning id`.execute(trx);
  return new Set(stored.map(({ id }) => id));
}

/** Returns the operations of these payments that have no outcome yet. */
export async function findPending(
  trx: Transaction<Database>,
  paymentIds: readonly string[],
): Promise<Operation[]> {
  // Not "state = 'PENDING'": the planner would then use recovery's index with all its dead entries.
  const { rows } = await sql<OperationRow>`
    select ${RETURNED} from operations as o
    where o.payment_id = any(${paymentIds}::text[]) and o.state not in ('COMPLETED', 'DECLINED')`.execute(
    trx,
  );
  return rows.map(toOperation);
}

export async function findOperations(
  db: Kysely<Database>,
  ids: readonly string[],
): Promise<Map<string, Operation>> {
  const { rows } = await sql<OperationRow>`
    select ${RETURNED} from operations as o where o.id = any(${ids}::text[])`.execute(db);
  return new Map(rows.map((row) => [row.id, toOperation(row)]));
}

/**
 * An operation with its outcome. `done` has the event and the resulting payment; it is undefined if the operation was declined.
 */
export interface EndedOperation {
  operation: Operation;
  done: { eventId: string; payment: Payment } | undefined;
}

/** Stores outcomes. */
export async function settleOperations(
  trx: Transaction<Database>,
  ended: readonly EndedOperation[],
): Promise<void> {
  const rows = ended.map(({ operation, done }) => ({
    id: operation.id,
    state: operation.state,
    failure_code: operation.failure?.code,
    failure_message: operation.failure?.message,
    decision: operation.decision,
    updated_at: operation.updatedAt,
    event_id: done?.eventId,
    payment_state: done?.payment.state,
    payment_version: done?.payment.version,
  }));
  await sql`
    update operations as o set
      state = r.state, failure_code = r.failure_code, failure_message = r.failure_message, decision = r.decision,
      updated_at = r.updated_at, event_id = r.event_id, payment_state = r.payment_state,
      payment_version = r.payment_version
    from ${unnest(rows, {
      id: 'text',
      state: 'text',
      failure_code: 'text',
      failure_message: 'text',
      decision: 'bytea',
      updated_at: 'timestamptz',
      event_id: 'text',
      payment_state: 'text',
      payment_version: 'int8',
    })} as r
    where o.id = r.id`.execute(trx);
}

/** Stores the owners of a restored operation, whose payment has no outcome yet. The serving role may not change them. */
export async function setOwners(
  trx: Transaction<Database>,
  id: string,
  { from, to }: { from: string | undefined; to: string | undefined },
): Promise<void> {
  await trx
    .updateTable('operations')
    .set({ from_owner_id: from ?? null, to_owner_id: to ?? null })
    .where('id', '=', id)
    .execute();
}

/** Claims operations that are due for recovery. */
export async function claimOperations(db: Kysely<Database>, claim: Claim): Promise<Claimed<Operation>> {
  const { due, stuck } = await claimDue<OperationRow>(db, 'operations', OPERATION_COLUMNS, claim);
  return { due: due.map(toOperation), stuck };
}

export interface Postponement {
  id: string;
  until: Date;
}

/** Moves the next attempt of operations without an outcome to the given times, unless it is already later. */
export async function postponeOperations(
  db: Kysely<Database>,
  postponed: readonly Postponement[],
): Promise<void> {
  const rows = postponed.map(({ id, until }) => ({ id, next_attempt_at: until }));
  await sql`
    update operations as o set next_attempt_at = greatest(o.next_attempt_at, r.next_attempt_at)
    from ${unnest(rows, { id: 'text', next_attempt_at: 'timestamptz' })} as r
    where o.id = r.id and o.state not in ('COMPLETED', 'DECLINED')`.execute(db);
}

/** Fills in the sides of up to `limit` operations that lack them, and returns their number. */
export async function fillSides(db: Kysely<Database>, limit: number): Promise<number> {
  const { rows } = await sql<{ filled: bigint }>`select fill_operation_sides(${limit}) as filled`.execute(db);
  return Number(rows[0]?.filled ?? 0n);
}

export function toOperation(row: OperationRow): Operation {
  const { failure_code, failure_message } = row;
  return {
    id: row.id,
    paymentId: row.payment_id,
    kind: row.kind,
    state: row.state,
    amountMinor: row.amount_minor,
    takesRest: row.takes_rest,
    final: row.final,
    reason: row.reason,
    notes: { reference: row.reference, metadata: row.metadata },
    failure: failure_code === null ? undefined : { code: failure_code, message: failure_message ?? '' },
    decision: row.decision ?? undefined,
    origin: {
      callerId: row.caller_id ?? undefined,
      clientId: row.client_id ?? undefined,
      byOperator: row.by_operator,
      requestId: row.request_id ?? undefined,
      traceparent: row.traceparent,
    },
    attempts: row.attempts,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
