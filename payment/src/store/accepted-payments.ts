/** Stores accepted payments in one statement: their idempotency keys, the payments, and their events in the outbox. */
import { outboxFrom, unnest } from '@payflowx/chassis/postgres';
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import type { Change } from '../domain/payment.ts';
import { EVENTS_DESTINATION, toParcels } from '../messages/payment-event.ts';
import type { Database } from './database.ts';
import { byKey, type KeyedRequest, restoreKeys } from './idempotency-keys.ts';

export interface AcceptedPayment {
  change: Change;
  eventId: string;
  keyed: KeyedRequest;
  /** Recovery skips the payment for so many milliseconds after its creation. */
  dueAfterMs: number;
}

/**
 * Stores the payments whose keys are unused, and returns their ids. Waits for transactions that are taking the same keys.
 */
export async function saveAccepted(
  db: Kysely<Database>,
  payments: readonly AcceptedPayment[],
): Promise<Set<string>> {
  // All statements take keys in the same order, so two flushes with common keys cannot deadlock.
  const sorted = payments.toSorted((a, b) => byKey(a.keyed, b.keyed));
  const rows = sorted.map(toRow);
  const { rows: taken } = await sql<{ payment_id: string }>`
    with asked as (
      select * from ${unnest(rows, columnsOf(payments))} as r
    ), taken as (
      insert into idempotency_keys (caller_id, key, operation, fingerprint, payment_id, created_at)
      select caller_id, request_id, operation, fingerprint, key, created_at from asked
      on conflict (caller_id, key) do nothing
      returning payment_id
    ), begun as (
      select asked.* from asked join taken on taken.payment_id = asked.key
    ), stored as (
      ${insertPayments('begun', payments)}
    ), announced as (
      ${outboxFrom(EVENTS_DESTINATION, sql`begun`)}
    )
    select payment_id from taken`.execute(db);
  return new Set(taken.map(({ payment_id }) => payment_id));
}

/** Batches without a mandate, nearly all of them, do not have the columns of collected payments. */
function insertPayments(source: 'begun' | 'lost', payments: readonly AcceptedPayment[]): RawBuilder<unknown> {
  const ofCollected = payments.some(isCollected) ? OF_COLLECTED : sql``;
  return sql`
    insert into payments (
      id, kind, state, from_account, to_account, from_owner_id, amount_minor, currency, capture_mode, description, reference,
      metadata, hold_expires_at, version, created_at, updated_at, caller_id, caller_roles, client_id, request_id,
      traceparent, next_attempt_at, initiated_event_id, captured_by_payee${ofCollected}
    )
    select
      key, kind, state, from_account, to_account, from_owner_id, amount_minor, currency, capture_mode, description, reference,
      metadata, hold_expires_at, version, created_at, created_at, caller_id, string_to_array(caller_roles, ','),
      client_id, request_id, traceparent, next_attempt_at, event_id, captured_by_payee${ofCollected}
    from ${sql.table(source)}`;
}

/** Stores lost payments again, with their keys. */
export async function restoreAccepted(
  trx: Transaction<Database>,
  payments: readonly AcceptedPayment[],
): Promise<void> {
  const rows = payments.map(toRow);
  await sql`with lost as (select * from ${unnest(rows, columnsOf(payments))} as r) ${insertPayments('lost', payments)}`.execute(
    trx,
  );
  await restoreKeys(
    trx,
    payments.map(({ keyed, change }) => ({ ...keyed, createdAt: change.payment.createdAt })),
  );
}

const COLUMNS = {
  /** The payment's id, which is also the key of its event. */
  key: 'text',
  operation: 'text',
  fingerprint: 'bytea',
  kind: 'text',
  state: 'text',
  from_account: 'text',
  to_account: 'text',
  from_owner_id: 'text',
  amount_minor: 'int8',
  currency: 'text',
  capture_mode: 'text',
  description: 'text',
  reference: 'text',
  metadata: 'json',
  hold_expires_at: 'timestamptz',
  version: 'int8',
  created_at: 'timestamptz',
  caller_id: 'text',
  caller_roles: 'text',
  client_id: 'text',
  request_id: 'text',
  traceparent: 'text',
  next_attempt_at: 'timestamptz',
  event_id: 'text',
  event: 'bytea',
  captured_by_payee: 'bool',
} as const;
const OF_COLLECTED = sql`, mandate_id, to_owner_id`;
const COLUMNS_OF_COLLECTED = { ...COLUMNS, mandate_id: 'text', to_owner_id: 'text' } as const;

const isCollected = ({ change }: AcceptedPayment) => change.payment.mandateId !== undefined;

function columnsOf(payments: readonly AcceptedPayment[]) {
  return payments.some(isCollected) ? COLUMNS_OF_COLLECTED : COLUMNS;
}

function toRow({ change, eventId, keyed, dueAfterMs }: AcceptedPayment) {
  const { payment } = change;
  const { caller, requestId, traceparent } = payment.origin;
  return {
    key: payment.id,
    operation: keyed.operation,
    fingerprint: keyed.fingerprint,
    kind: payment.kind,
    state: payment.state,
    from_account: payment.fromAccount,
    to_account: payment.toAccount,
    from_owner_id: payment.fromOwnerId,
    amount_minor: payment.amountMinor,
    currency: payment.currency,
    capture_mode: payment.captureMode,
    description: payment.description,
    reference: payment.reference,
    metadata: JSON.stringify(payment.metadata),
    hold_expires_at: payment.holdExpiresAt,
    version: payment.version,
    created_at: payment.createdAt,
    caller_id: caller.id,
    // A column of unnest cannot hold an array of arrays.
    caller_roles: caller.roles.join(','),
    client_id: caller.clientId,
    request_id: requestId,
    traceparent,
    next_attempt_at: new Date(payment.createdAt.getTime() + dueAfterMs),
    event_id: eventId,
    event: toParcels(change, eventId).event,
    captured_by_payee: payment.captureBy === 'PAYEE',
    mandate_id: payment.mandateId,
    to_owner_id: payment.toOwnerId,
  };
}
