/** All that a batch of payments changed, written in one statement. */
import { unnest } from '@payflowx/chassis';
import { Decision } from '@payflowx/proto/authorization';
import { sql, type Transaction } from 'kysely';
import type { Account } from '../domain/account.ts';
import type { DeclineCode, Hold } from '../domain/decision.ts';
import type { Database } from './database.ts';
import { type StepKey, stepKey } from './decisions.ts';

export interface DecidedStep extends StepKey {
  fingerprint: string;
  decline: DeclineCode | undefined;
  decision: Decision;
}

export interface DecidedBatch {
  steps: readonly DecidedStep[];
  /** The accounts that changed, as they are now. Their rows are locked. */
  changed: readonly Account[];
  holds: readonly Hold[];
  decidedAt: Date;
}

/** Writes all that a batch decided in one round trip: balances with the use of limits, holds, decisions. */
export async function saveDecisions(trx: Transaction<Database>, batch: DecidedBatch): Promise<void> {
  const { rows } = await sql<{ changed: bigint }>`
    with changed as (
      update balances as b
      set posted = r.posted, held = r.held,
        spent_day = r.spent_day, spent_today = r.spent_today, count_today = r.count_today,
        spent_month = r.spent_month, spent_this_month = r.spent_this_month
      from ${balanceRows(batch.changed)} as r
      where b.account_id = r.account_id
      returning 1
    ), held as (
      insert into holds (payment_id, from_account, to_account, amount, remaining, expires_at, created_at)
      select payment_id, from_account, to_account, amount, amount, expires_at, ${batch.decidedAt}
      from ${holdRows(batch.holds)} as r
    ), decided as (
      insert into decisions (payment_id, operation_id, fingerprint, outcome, code, decision, decided_at)
      select payment_id, operation_id, fingerprint, outcome, code, decision, ${batch.decidedAt}
      from ${decisionRows(batch.steps)} as r
    )
    select count(*) as changed from changed`.execute(trx);
  // Money must not come from or go to an account that has no row.
  if (rows[0]?.changed !== BigInt(batch.changed.length)) {
    throw new Error('A decision would have changed an account that is not there.');
  }
}

function balanceRows(accounts: readonly Account[]) {
  const rows = accounts.map(({ id, posted, held, usage }) => ({
    account_id: id,
    posted,
    held,
    spent_day: usage.day,
    spent_today: usage.spentToday,
    count_today: usage.countToday,
    spent_month: usage.month,
    spent_this_month: usage.spentThisMonth,
  }));
  return unnest(rows, {
    account_id: 'text',
    posted: 'int8',
    held: 'int8',
    spent_day: 'date',
    spent_today: 'int8',
    count_today: 'int4',
    spent_month: 'date',
    spent_this_month: 'int8',
  });
}

function holdRows(holds: readonly Hold[]) {
  const rows = holds.map((hold) => ({
    payment_id: hold.paymentId,
    from_account: hold.fromAccount,
    to_account: hold.toAccount,
    amount: hold.amount,
    expires_at: hold.expiresAt,
  }));
  return unnest(rows, {
    payment_id: 'text',
    from_account: 'text',
    to_account: 'text',
    amount: 'int8',
    expires_at: 'timestamptz',
  });
}

/** In the order of their ids: where two instances decide the same steps, neither waits for the other in a circle. */
function decisionRows(steps: readonly DecidedStep[]) {
  const rows = steps
    .toSorted((a, b) => (stepKey(a) < stepKey(b) ? -1 : 1))
    .map((step) => ({
      payment_id: step.paymentId,
      operation_id: step.operationId,
      fingerprint: step.fingerprint,
      outcome: step.decline === undefined ? 'APPROVED' : 'DECLINED',
      code: step.decline,
      decision: Buffer.from(Decision.encode(step.decision).finish()),
    }));
  return unnest(rows, {
    payment_id: 'text',
    operation_id: 'text',
    fingerprint: 'text',
    outcome: 'text',
    code: 'text',
    decision: 'bytea',
  });
}
