/**
 * Decisions from outside, of which this database may lack some. They are in a temporary table until they are restored, because they come
 * in the order of payments and are applied in the order of their times.
 */
import { unnest } from '@payflowx/chassis/postgres';
import { sql, type Transaction } from 'kysely';
import type { Account } from '../domain/account.ts';
import type { Hold } from '../domain/hold.ts';
import type { Mandate } from '../domain/mandate.ts';
import type { RecordedDecision } from '../messages/decided-step.ts';
import type { Database } from './database.ts';
import {
  balanceRows,
  changedHoldRows,
  type DecidedStep,
  decisionRows,
  mandateRows,
  newHoldRows,
} from './decided-batch.ts';

/** Other sessions can read, and wait with their writes until the transaction ends. */
export async function lockTables(trx: Transaction<Database>): Promise<void> {
  await sql`lock table decisions, holds, balances, mandates in exclusive mode`.execute(trx);
}

export async function createRecorded(trx: Transaction<Database>): Promise<void> {
  await sql`
    create temporary table recorded (
      payment_id text, operation_id text, is_payment bool, approved bool, decided_at timestamptz, decision_id text,
      step bytea, primary key (payment_id, operation_id)
    ) on commit drop`.execute(trx);
}

/** A recorded decision with the bytes that it was decoded from. */
export type Recorded = RecordedDecision & { bytes: Uint8Array };

export async function insertRecorded(trx: Transaction<Database>, steps: readonly Recorded[]): Promise<void> {
  const rows = steps.map(({ request, decline, decidedAt, message, bytes }) => ({
    payment_id: request.paymentId,
    operation_id: request.operationId,
    is_payment: request.kind === 'AUTHORIZE',
    approved: decline === undefined,
    decided_at: decidedAt,
    decision_id: message.id,
    step: bytes,
  }));
  await sql`
    insert into recorded select payment_id, operation_id, is_payment, approved, decided_at, decision_id, step
    from ${unnest(rows, {
      payment_id: 'text',
      operation_id: 'text',
      is_payment: 'bool',
      approved: 'bool',
      decided_at: 'timestamptz',
      decision_id: 'text',
      step: 'bytea',
    })} as r on conflict do nothing`.execute(trx);
}

/**
 * Removes decisions that this database has. Returns their number, and the payments whose decision here is another one: it was made after
 * the loss.
 */
export async function removeKnown(
  trx: Transaction<Database>,
): Promise<{ known: number; conflicting: string[] }> {
  const { rows } = await sql<{ payment_id: string; is_same: boolean }>`
    delete from recorded as r using decisions as d
    where d.payment_id = r.payment_id and d.operation_id = r.operation_id
    returning r.payment_id, r.decided_at = d.decided_at and r.approved = (d.outcome = 'APPROVED') as is_same`.execute(
    trx,
  );
  await sql`create index on recorded (decided_at, is_payment desc, decision_id, payment_id, operation_id)`.execute(
    trx,
  );
  const conflicting = rows.filter(({ is_same }) => !is_same).map(({ payment_id }) => payment_id);
  return { known: rows.length, conflicting };
}

/**
 * Takes the oldest out of the table. Decisions of one millisecond are in the order of their ids. A payment comes before its captures,
 * also with the same time.
 */
export async function takeOldest(trx: Transaction<Database>, limit: number): Promise<Uint8Array[]> {
  const { rows } = await sql<{ step: Buffer }>`
    with oldest as (
      select payment_id, operation_id from recorded
      order by decided_at, is_payment desc, decision_id, payment_id, operation_id limit ${limit}
    ), taken as (
      delete from recorded as r using oldest as o
      where r.payment_id = o.payment_id and r.operation_id = o.operation_id returning r.*
    )
    select step from taken order by decided_at, is_payment desc, decision_id, payment_id, operation_id`.execute(
    trx,
  );
  return rows.map(({ step }) => step);
}

export async function insertDecisions(
  trx: Transaction<Database>,
  steps: readonly DecidedStep[],
): Promise<void> {
  await sql`
    insert into decisions (payment_id, operation_id, kind, fingerprint, outcome, code, decision, remaining, facts,
      decided_at)
    select payment_id, operation_id, kind, fingerprint, outcome, code, decision, remaining, facts, decided_at
    from ${decisionRows(steps)} as r`.execute(trx);
}

/** Writes accounts, holds and mandates as the restored decisions left them. The decisions are stored before. */
export async function saveReplayed(
  trx: Transaction<Database>,
  {
    accounts,
    holds,
    mandates,
  }: { accounts: readonly Account[]; holds: readonly Hold[]; mandates: readonly Mandate[] },
): Promise<void> {
  await sql`
    update balances as b
    set posted = r.posted, held = r.held,
      spent_day = r.spent_day, spent_today = r.spent_today, count_today = r.count_today,
      spent_month = r.spent_month, spent_this_month = r.spent_this_month, decided_at = r.decided_at
    from ${balanceRows(accounts)} as r where b.account_id = r.account_id`.execute(trx);
  await sql`
    update holds as h set captured = r.captured, remaining = r.remaining, state = r.state
    from ${changedHoldRows(holds)} as r where h.payment_id = r.payment_id`.execute(trx);
  await sql`
    update mandates as m set spent_day = r.spent_day, spent_today = r.spent_today, spent_month = r.spent_month,
      spent_this_month = r.spent_this_month
    from ${mandateRows(mandates)} as r where m.id = r.id`.execute(trx);
  const mandate = holds.some(({ mandateId }) => mandateId !== undefined);
  await sql`
    insert into holds (payment_id, from_account, to_account, amount, captured, remaining, state, expires_at,
      used_day, used_month, created_at${mandate ? sql`, mandate_id` : sql``})
    select r.payment_id, r.from_account, r.to_account, r.amount, r.captured, r.remaining, r.state, r.expires_at,
      r.used_day, r.used_month, d.decided_at${mandate ? sql`, r.mandate_id` : sql``}
    from ${newHoldRows(holds)} as r
      join decisions as d on d.payment_id = r.payment_id and d.kind = 'AUTHORIZE' and d.outcome = 'APPROVED'
    on conflict (payment_id) do nothing`.execute(trx);
}

/** Freezes restored accounts until an operator has looked at them. */
export async function freeze(trx: Transaction<Database>, accountIds: readonly string[]): Promise<void> {
  await sql`update balances set state = 'FROZEN' where account_id = any(${[...accountIds]}::text[])`.execute(
    trx,
  );
}
