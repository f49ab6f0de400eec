/** Reads and writes the table payments: one row for each payment, written in batches. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import { asDecided, type Payment, type PaymentState } from '../domain/payment.ts';
import { type Claim, type Claimed, claimDue } from './claim-due.ts';
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
  'captured_by_payee',
  'description',
  'reference',
  'metadata',
  'failure_code',
  'failure_message',
  'decision',
  'hold_expires_at',
  'hold_ended_at',
  'decided_at',
  'version',
  'created_at',
  'updated_at',
  'caller_id',
  'caller_roles',
  'client_id',
  'request_id',
  'traceparent',
  'mandate_id',
] as const satisfies readonly (keyof PaymentsTable)[];

export type PaymentRow = Pick<Selectable<PaymentsTable>, (typeof PAYMENT_COLUMNS)[number]>;

const RETURNED = sql.raw(PAYMENT_COLUMNS.map((column) => `p.${column}`).join(', '));

/** Locks the payments until the transaction ends and returns them. Concurrent steps of one payment then run one after another. */
export async function lockPayments(
  trx: Transaction<Database>,
  ids: readonly string[],
): Promise<Map<string, Payment>> {
  // All statements lock payments in id order, so two flushes with common payments cannot deadlock.
  const { rows } = await sql<PaymentRow>`
    select ${RETURNED} from payments as p where p.id = any(${ids}::text[]) order by p.id for update`.execute(
    trx,
  );
  return new Map(rows.map((row) => [row.id, toPayment(row)]));
}

/** Stores locked payments after a later step. */
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
    hold_ended_at: payment.endedAt,
  }));
  await sql`
    update payments as p set
      state = r.state, captured_minor = r.captured_minor, released_minor = r.released_minor,
      refunded_minor = r.refunded_minor, version = r.version, updated_at = r.updated_at,
      hold_ended_at = case when p.capture_mode = 'MANUAL' then r.hold_ended_at end
    from ${unnest(rows, {
      id: 'text',
      state: 'text',
      captured_minor: 'int8',
      released_minor: 'int8',
      refunded_minor: 'int8',
      version: 'int8',
      updated_at: 'timestamptz',
      hold_ended_at: 'timestamptz',
    })} as r
    where p.id = r.id`.execute(trx);
}

/**
 * Claims up to `limit` payments whose hold is past its end, by moving their next expiry attempt into the future. The first pause
 * is one minute. Later pauses are as long as the time since the hold's end, up to a day. By then the expiry has usually ended the
 * hold. Other instances skip rows that are locked.
 */
export async function claimExpired(trx: Transaction<Database>, now: Date, limit: number): Promise<Payment[]> {
  const { rows } = await sql<PaymentRow>`
    with due as (
      select id from payments
      where state in ('AUTHORIZED', 'PARTIALLY_CAPTURED') and coalesce(next_expiry_at, hold_expires_at) <= ${now}
      order by coalesce(next_expiry_at, hold_expires_at) limit ${limit}
      for update skip locked
    )
    update payments as p set
      next_expiry_at = ${now}::timestamptz + (0.75 + random() / 2)
        * least(greatest(${now}::timestamptz - p.hold_expires_at, interval '1 minute'), interval '1 day')
    from due where p.id = due.id
    returning ${RETURNED}`.execute(trx);
  return rows.map(toPayment);
}

/** Holds are counted up to this number, so that the count stays cheap with a large backlog. */
const MAX_COUNTED = 10_000;

/** Counts the holds that `claimExpired` would find. */
export async function countDueHolds(db: Kysely<Database>, now: Date): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from (
      select 1 from payments
      where state in ('AUTHORIZED', 'PARTIALLY_CAPTURED') and coalesce(next_expiry_at, hold_expires_at) <= ${now}
      limit ${sql.lit(MAX_COUNTED)}
    ) as due`.execute(db);
  return rows[0]?.count ?? 0;
}

/** Claims INITIATED payments that are due for recovery. */
export async function claimPayments(db: Kysely<Database>, claim: Claim): Promise<Claimed<Payment>> {
  const { due, stuck } = await claimDue<PaymentRow>(db, 'payments', PAYMENT_COLUMNS, claim);
  return { due: due.map(toPayment), stuck };
}

export async function findPayment(db: Kysely<Database>, id: string): Promise<Payment | undefined> {
  const row = await db.selectFrom('payments').select(PAYMENT_COLUMNS).where('id', '=', id).executeTakeFirst();
  return row && toPayment(row);
}

/** Returns the payments by id, each directly after its decision. Payments without a decision are INITIATED. */
export async function findAsDecided(
  db: Kysely<Database>,
  ids: readonly string[],
): Promise<Map<string, Payment>> {
  const { rows } = await sql<PaymentRow>`
    select ${RETURNED} from payments as p
    where p.id = any(${ids}::text[])`.execute(db);
  return new Map(
    rows.map((row) => {
      const payment = toPayment(row);
      if (payment.state === 'INITIATED') return [payment.id, payment];
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
    captureBy: row.captured_by_payee ? 'PAYEE' : 'PAYER',
    description: row.description,
    reference: row.reference,
    metadata: row.metadata,
    mandateId: row.mandate_id ?? undefined,
    failure: failure_code === null ? undefined : { code: failure_code, message: failure_message ?? '' },
    decision: row.decision ?? undefined,
    holdExpiresAt: row.hold_expires_at ?? undefined,
    endedAt: endOf(row) ?? undefined,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    origin: {
      caller: { id: row.caller_id, roles: row.caller_roles, clientId: row.client_id ?? undefined },
      requestId: row.request_id,
      traceparent: row.traceparent,
    },
  };
}

const OPEN: readonly PaymentState[] = ['INITIATED', 'AUTHORIZED', 'PARTIALLY_CAPTURED', 'FAILED'];

/** Holds that ended before this column existed have their last change, unless a refund followed. */
function endOf(row: PaymentRow): Date | null {
  if (OPEN.includes(row.state)) return null;
  if (row.capture_mode === 'AUTOMATIC') return row.decided_at;
  return row.hold_ended_at ?? (row.refunded_minor === 0n ? row.updated_at : null);
}
