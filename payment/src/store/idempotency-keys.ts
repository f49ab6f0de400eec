/** Reads and writes the table idempotency_keys: the requests that were seen, and their responses. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';

export interface Key {
  callerId: string;
  requestId: string;
}

export interface KeyedRequest extends Key {
  /** The RPC that the key was used with. */
  operation: string;
  fingerprint: Buffer;
  paymentId: string;
  /** The step that the request asks for. Undefined if it creates a payment. */
  operationId?: string | undefined;
}

/** The first response to a request for a step: the encoded message, or the refusal. Neither while the request is in progress. */
export interface StoredResponse {
  answer?: Buffer | undefined;
  refusal?: Refusal | undefined;
}

export interface Refusal {
  reason: string;
  message: string;
  metadata: Record<string, string>;
}

/** A request for a step of an existing payment. */
export type KeyedStep = KeyedRequest & { operationId: string };

export type SeenRequest = KeyedRequest & StoredResponse;

const KEY_TYPES = { caller_id: 'text', key: 'text' } as const;

const toKeyRow = ({ callerId, requestId }: Key) => ({ caller_id: callerId, key: requestId });

/**
 * Takes unused keys of steps, and returns the ids of those steps. Waits for transactions that are taking the same keys. The key
 * of a new payment is taken together with the payment, in accepted-payments.ts.
 */
export async function takeKeys(
  trx: Transaction<Database>,
  requests: readonly KeyedStep[],
  now: Date,
): Promise<Set<string>> {
  // All statements take keys in the same order, so two flushes with common keys cannot deadlock.
  const sorted = requests.toSorted(byKey);
  const rows = sorted.map((request) => ({
    ...toKeyRow(request),
    operation: request.operation,
    fingerprint: request.fingerprint,
    payment_id: request.paymentId,
    operation_id: request.operationId,
  }));
  const types = {
    operation: 'text',
    fingerprint: 'bytea',
    payment_id: 'text',
    operation_id: 'text',
  } as const;
  const { rows: taken } = await sql<{ operation_id: string }>`
    insert into idempotency_keys (caller_id, key, operation, fingerprint, payment_id, operation_id, created_at)
    select caller_id, key, operation, fingerprint, payment_id, operation_id, ${now}
    from ${unnest(rows, { ...KEY_TYPES, ...types })} as r
    on conflict (caller_id, key) do nothing
    returning operation_id`.execute(trx);
  return new Set(taken.map(({ operation_id }) => operation_id));
}

/**
 * Stores keys of lost requests again, without a response. Of two requests with one key, the later one keeps it: the earlier one had
 * released it, or it had expired.
 */
export async function restoreKeys(
  trx: Transaction<Database>,
  requests: readonly (KeyedRequest & { createdAt: Date })[],
): Promise<void> {
  for (const { callerId, requestId, operation, fingerprint, paymentId, operationId, createdAt } of requests)
    await sql`
      insert into idempotency_keys as k (caller_id, key, operation, fingerprint, payment_id, operation_id, created_at)
      values (${callerId}, ${requestId}, ${operation}, ${fingerprint}, ${paymentId}, ${operationId ?? null}, ${createdAt})
      on conflict (caller_id, key) do update set
        operation = excluded.operation, fingerprint = excluded.fingerprint, payment_id = excluded.payment_id,
        operation_id = excluded.operation_id, created_at = excluded.created_at, answer = null, refusal = null
      where k.created_at < excluded.created_at`.execute(trx);
}

/** The order in which all statements take keys. */
export function byKey(a: Key, b: Key): number {
  if (a.callerId !== b.callerId) return a.callerId < b.callerId ? -1 : 1;
  if (a.requestId !== b.requestId) return a.requestId < b.requestId ? -1 : 1;
  return 0;
}

/** Returns the first requests with these keys. */
export async function findKeys(db: Kysely<Database>, keys: readonly Key[]): Promise<SeenRequest[]> {
  const { rows } = await sql<{
    caller_id: string;
    key: string;
    operation: string;
    fingerprint: Buffer;
    payment_id: string;
    operation_id: string | null;
    answer: Buffer | null;
    refusal: Refusal | null;
  }>`
    select k.caller_id, k.key, k.operation, k.fingerprint, k.payment_id, k.operation_id, k.answer, k.refusal
    from idempotency_keys as k
    join ${unnest(keys.map(toKeyRow), KEY_TYPES)} as r on k.caller_id = r.caller_id and k.key = r.key`.execute(
    db,
  );
  return rows.map((row) => ({
    callerId: row.caller_id,
    requestId: row.key,
    operation: row.operation,
    fingerprint: row.fingerprint,
    paymentId: row.payment_id,
    operationId: row.operation_id ?? undefined,
    answer: row.answer ?? undefined,
    refusal: row.refusal ?? undefined,
  }));
}

export interface Answer extends Key {
  answer: Uint8Array;
}

/** Stores first responses. */
export async function storeAnswers(trx: Transaction<Database>, answers: readonly Answer[]): Promise<void> {
  const rows = answers.map((answer) => ({ ...toKeyRow(answer), answer: answer.answer }));
  await sql`
    update idempotency_keys as k set answer = r.answer
    from ${unnest(rows, { ...KEY_TYPES, answer: 'bytea' })} as r
    where k.caller_id = r.caller_id and k.key = r.key`.execute(trx);
}

/** Stores refusals as first responses. */
export async function storeRefusals(
  trx: Transaction<Database>,
  refusals: readonly (Key & { refusal: Refusal })[],
): Promise<void> {
  const rows = refusals.map(({ refusal, ...key }) => ({ ...toKeyRow(key), refusal }));
  await sql`
    update idempotency_keys as k set refusal = r.refusal
    from ${unnest(rows, { ...KEY_TYPES, refusal: 'jsonb' })} as r
    where k.caller_id = r.caller_id and k.key = r.key`.execute(trx);
}

/** Deletes the keys of requests that left nothing to replay. */
export async function releaseKeys(trx: Transaction<Database>, keys: readonly Key[]): Promise<void> {
  await sql`
    delete from idempotency_keys as k
    using ${unnest(keys.map(toKeyRow), KEY_TYPES)} as r
    where k.caller_id = r.caller_id and k.key = r.key`.execute(trx);
}

const BLOCKS = sql`pg_relation_size('idempotency_keys') / current_setting('block_size')::int`;

/** Returns the size of the table in blocks. A block is a page of the table's file. */
export async function countBlocks(db: Kysely<Database>): Promise<number> {
  const { rows } = await sql<{ blocks: bigint }>`select ${BLOCKS} as blocks`.execute(db);
  return Number(rows[0]?.blocks ?? 0n);
}

/** Locks the position of the sweep, and returns it: the block that is read next. Undefined if another instance holds the lock. */
export async function lockSweep(trx: Transaction<Database>): Promise<number | undefined> {
  const { rows } = await sql<{ next: bigint }>`
    select next_block as next from key_sweep for update skip locked`.execute(trx);
  return rows[0] && Number(rows[0].next);
}

/** After the last block the sweep starts again with the first. */
export async function moveSweep(trx: Transaction<Database>, next: number): Promise<void> {
  await sql`
    update key_sweep set next_block = case when ${next}::bigint < ${BLOCKS} then ${next}::bigint else 0 end`.execute(
    trx,
  );
}

/**
 * Deletes the keys in blocks `from` to `to` (exclusive) whose requests got their outcome before `before`: a step was refused or
 * settled, a payment was decided. Keys that another transaction has locked are left.
 *
 * The subqueries are scalar, so that they read one row of an index for each key. As a join, the planner could read all payments.
 */
export async function purgeKeys(
  trx: Transaction<Database>,
  { from, to }: { from: number; to: number },
  before: Date,
): Promise<void> {
  await sql`
    delete from idempotency_keys where ctid = any(array(
      select k.ctid from idempotency_keys as k
      where k.ctid >= ${`(${from},0)`}::tid and k.ctid < ${`(${to},0)`}::tid
        and k.created_at < ${before} and (k.answer is not null or k.refusal is not null or k.operation_id is null)
        and case when k.operation_id is null
          then (select p.state = 'INITIATED' or p.decided_at >= ${before} from payments as p where p.id = k.payment_id)
          else (select o.updated_at >= ${before} from operations as o where o.id = k.operation_id)
        end is not true
      for update of k skip locked
    ))`.execute(trx);
}
