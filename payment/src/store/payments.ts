/** Table payments: one row for each payment, written in sets. */
import { unnest } from '@payflowx/chassis';
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import { asDecided, type Payment } from '../domain/payment.ts';
import { type Claim, claimDue } from './claim-due.ts';
import type { Database, PaymentsTable } from './database.ts';

export const PAYMENT_COLUMNS = [
  'id',
  'kind',
  'state',
  'from_account',
  'to_account',
  'from_owner_id',
  'to_owner_id',
  'amount_minor',
  'currency',
  'captured_minor',
  'released_minor',
  'refunded_minor',
  'capture_mode',
  'description',
  'reference',
  'metadata',
  'failure_code',
  'failure_message',
  'decision',
  'hold_expires_at',
  'version',
  'created_at',
  'updated_at',
  'caller_id',
  'caller_roles',
  'request_id',
  'traceparent',
] as const satisfies readonly (keyof PaymentsTable)[];

export type PaymentRow = Pick<Selectable<PaymentsTable>, (typeof PAYMENT_COLUMNS)[number]>;

/** A payment and the event that announces the step it has just taken. */
export interface Announced {
  payment: Payment;
  eventId: string;
}

const RETURNED = sql.raw(PAYMENT_COLUMNS.map((column) => `p.${column}`).join(', '));

/** Stores new payments. Recovery leaves them alone for `recoverAfterMs`. */
export async function insertPayments(
  trx: Transaction<Database>,
  begun: readonly Announced[],
  recoverAfterMs: number,
): Promise<void> {
  const rows = begun.map((announced) => toNewRow(announced, recoverAfterMs));
  await sql`
    insert into payments (
      id, kind, state, from_account, to_account, from_owner_id, amount_minor, currency, capture_mode, description, reference,
      metadata, hold_expires_at, version, created_at, updated_at, caller_id, caller_roles, request_id, traceparent,
      next_attempt_at, initiated_event_id
    )
    select
      id, kind, state, from_account, to_account, from_owner_id, amount_minor, currency, capture_mode, description, reference,
      metadata, hold_expires_at, version, created_at, created_at, caller_id, string_to_array(caller_roles, ','),
      request_id, traceparent, next_attempt_at, initiated_event_id
    from ${unnest(rows, {
      id: 'text',
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
      request_id: 'text',
      traceparent: 'text',
      next_attempt_at: 'timestamptz',
      initiated_event_id: 'text',
    })} as r`.execute(trx);
}

function toNewRow({ payment, eventId }: Announced, recoverAfterMs: number) {
  const { caller, requestId, traceparent } = payment.origin;
  return {
    id: payment.id,
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
    // An array in an array cannot travel as one column of unnest.
    caller_roles: caller.roles.join(','),
    request_id: requestId,
    traceparent,
    next_attempt_at: new Date(payment.createdAt.getTime() + recoverAfterMs),
    initiated_event_id: eventId,
  };
}

/**
 * Stores payments as authorization's decision left them, where nobody else has taken a step since, and returns the ids of those.
 * The version says so, and not the state: the planner would look for a state in recovery's index, among all its dead entries.
 */
export async function settlePayments(
  trx: Transaction<Database>,
  decided: readonly Announced[],
): Promise<Set<string>> {
  const rows = decided.map(({ payment, eventId }) => ({
    id: payment.id,
    state: payment.state,
    from_owner_id: payment.fromOwnerId,
    to_owner_id: payment.toOwnerId,
    captured_minor: payment.capturedMinor,
    failure_code: payment.failure?.code,
    failure_message: payment.failure?.message,
    decision: payment.decision,
    version: payment.version,
    updated_at: payment.updatedAt,
    decided_event_id: eventId,
  }));
  const { rows: moved } = await sql<{ id: string }>`
    update payments as p set
      state = r.state, from_owner_id = r.from_owner_id, to_owner_id = r.to_owner_id,
      captured_minor = r.captured_minor, failure_code = r.failure_code, failure_message = r.failure_message,
      decision = r.decision, version = r.version, updated_at = r.updated_at,
      decided_event_id = r.decided_event_id, decided_at = r.updated_at
    from ${unnest(rows, {
      id: 'text',
      state: 'text',
      from_owner_id: 'text',
      to_owner_id: 'text',
      captured_minor: 'int8',
      failure_code: 'text',
      failure_message: 'text',
      decision: 'bytea',
      version: 'int8',
      updated_at: 'timestamptz',
      decided_event_id: 'text',
    })} as r
    where p.id = r.id and p.version = r.version - 1
    returning p.id`.execute(trx);
  return new Set(moved.map(({ id }) => id));
}

/** The payments, locked until the transaction ends: whatever is asked of them afterwards follows one after another. */
export async function lockPayments(
  trx: Transaction<Database>,
  ids: readonly string[],
): Promise<Map<string, Payment>> {
  // In one order everywhere, so that two flushes with common payments wait for each other instead of deadlocking.
  const { rows } = await sql<PaymentRow>`
    select ${RETURNED} from payments as p where p.id = any(${ids}::text[]) order by p.id for update`.execute(
    trx,
  );
  return new Map(rows.map((row) => [row.id, toPayment(row)]));
}

/** Stores locked payments as later steps left them. */
export async function updatePayments(
  trx: Transaction<Database>,
  payments: readonly Payment[],
): Promise<void> {
  const rows = payments.map((payment) => ({
    id: payment.id,
    state: payment.state,
    captured_minor: payment.capturedMinor,
    released_minor: payment.releasedMinor,
    refunded_minor: payment.refundedMinor,
    version: payment.version,
    updated_at: payment.updatedAt,
  }));
  await sql`
    update payments as p set
      state = r.state, captured_minor = r.captured_minor, released_minor = r.released_minor,
      refunded_minor = r.refunded_minor, version = r.version, updated_at = r.updated_at
    from ${unnest(rows, {
      id: 'text',
      state: 'text',
      captured_minor: 'int8',
      released_minor: 'int8',
      refunded_minor: 'int8',
      version: 'int8',
      updated_at: 'timestamptz',
    })} as r
    where p.id = r.id`.execute(trx);
}

/** Up to `limit` payments whose hold's time is over and that nobody is ending yet, locked. Others skip what one has locked. */
export async function lockExpired(trx: Transaction<Database>, now: Date, limit: number): Promise<Payment[]> {
  const { rows } = await sql<PaymentRow>`
    select ${RETURNED} from payments as p
    where p.state in ('AUTHORIZED', 'PARTIALLY_CAPTURED') and p.hold_expires_at <= ${now}
      and not exists (
        select from operations as o where o.payment_id = p.id and o.kind = 'EXPIRE' and o.state <> 'DECLINED'
      )
    order by p.hold_expires_at limit ${limit}
    for update of p skip locked`.execute(trx);
  return rows.map(toPayment);
}

/** Takes INITIATED payments that are due for recovery. */
export async function claimPayments(db: Kysely<Database>, claim: Claim): Promise<Payment[]> {
  return (await claimDue<PaymentRow>(db, 'payments', PAYMENT_COLUMNS, claim)).map(toPayment);
}

export async function findPayment(db: Kysely<Database>, id: string): Promise<Payment | undefined> {
  const row = await db.selectFrom('payments').select(PAYMENT_COLUMNS).where('id', '=', id).executeTakeFirst();
  return row && toPayment(row);
}

/** Those of the payments that were decided, by id, each as its decision left it. */
export async function findDecided(
  trx: Transaction<Database>,
  ids: readonly string[],
): Promise<Map<string, Payment>> {
  const { rows } = await sql<PaymentRow & Pick<PaymentsTable, 'decided_at'>>`
    select ${RETURNED}, p.decided_at from payments as p
    where p.id = any(${ids}::text[]) and p.state <> 'INITIATED'`.execute(trx);
  return new Map(
    rows.map((row) => {
      const payment = toPayment(row);
      return [payment.id, asDecided(payment, row.decided_at ?? payment.updatedAt)];
    }),
  );
}

export async function findPayments(db: Kysely<Database>, ids: readonly string[]): Promise<Payment[]> {
  const { rows } = await sql<PaymentRow>`
    select ${RETURNED} from payments as p where p.id = any(${ids}::text[])`.execute(db);
  return rows.map(toPayment);
}

export function toPayment(row: PaymentRow): Payment {
  const { failure_code, failure_message } = row;
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    fromAccount: row.from_account,
    toAccount: row.to_account,
    fromOwnerId: row.from_owner_id ?? undefined,
    toOwnerId: row.to_owner_id ?? undefined,
    amountMinor: row.amount_minor,
    currency: row.currency,
    capturedMinor: row.captured_minor,
    releasedMinor: row.released_minor,
    refundedMinor: row.refunded_minor,
    captureMode: row.capture_mode,
    description: row.description,
    reference: row.reference,
    metadata: row.metadata,
    failure: failure_code === null ? undefined : { code: failure_code, message: failure_message ?? '' },
    decision: row.decision ?? undefined,
    holdExpiresAt: row.hold_expires_at ?? undefined,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    origin: {
      caller: { id: row.caller_id, roles: row.caller_roles },
      requestId: row.request_id,
      traceparent: row.traceparent,
    },
  };
}
