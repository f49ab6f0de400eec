/** Writes the decisions and changes of a batch in one statement. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Account } from '../domain/account.ts';
import type { DeclineCode } from '../domain/decision.ts';
import type { Basis } from '../domain/decision-context.ts';
import type { Hold } from '../domain/hold.ts';
import type { Mandate } from '../domain/mandate.ts';
import type { StepKey, StepKind } from '../domain/step-request.ts';
import { encodeDecision } from '../messages/decision-message.ts';
import type { ReadAccounts } from './balances.ts';
import type { Database } from './database.ts';
import { type Answer, stepKey } from './decisions.ts';
import { encodeFacts } from './facts-record.ts';

export interface DecidedStep extends StepKey {
  kind: StepKind;
  fingerprint: string;
  decline: DeclineCode | undefined;
  answer: Answer;
  /** The facts for backtests. Undefined if there are none. */
  basis: Basis | undefined;
}

export interface DecidedBatch {
  steps: readonly DecidedStep[];
  /** The accounts after their changes. */
  changed: readonly Account[];
  newHolds: readonly Hold[];
  changedHolds: readonly Hold[];
  /** Mandates whose use changed. Each one's payer is among the changed accounts. */
  changedMandates: readonly Mandate[];
  decidedAt: Date;
}

/**
 * Writes all results of a batch in one statement: balances with the use of limits, holds, decisions. Returns false and writes
 * nothing if an account has changed since it was read, or if another session has an account, a hold or a mandate locked.
 *
 * The statement never waits for a row: it skips locked rows. A hold or mandate changes only together with its payer's row, so that row's
 * version covers all three. Batches without mandates, nearly all of them, do not have their parts of the statement.
 */
export async function saveDecisions(
  db: Kysely<Database>,
  { rowVersions }: Pick<ReadAccounts, 'rowVersions'>,
  batch: DecidedBatch,
): Promise<boolean> {
  requireRows(batch.changed, rowVersions);
  const heldPaymentIds = batch.changedHolds.map(({ paymentId }) => paymentId);
  const mandates = mandateParts(batch);
  const { rows } = await sql<{ unchanged: boolean }>`
    with unchanged as (
      select b.account_id
      from balances as b join ${versionRows(rowVersions)} as r on r.account_id = b.account_id and r.row_version = b.xmin
      order by b.account_id
      for update of b skip locked
    ), free_holds as (
      select payment_id from holds where payment_id = any(${heldPaymentIds}::text[]) for update skip locked
    )${mandates.free}, verdict as (
      select (select count(*) from unchanged) = ${rowVersions.size}
        and (select count(*) from free_holds) = ${heldPaymentIds.length}${mandates.areFree} as unchanged
    ), changed as (
      update balances as b
      set posted = r.posted, held = r.held,
        spent_day = r.spent_day, spent_today = r.spent_today, count_today = r.count_today,
        spent_month = r.spent_month, spent_this_month = r.spent_this_month, decided_at = r.decided_at
      from ${balanceRows(batch.changed)} as r
      where b.account_id = r.account_id and (select unchanged from verdict)
    ), held as (
      insert into holds (payment_id, from_account, to_account, amount, captured, remaining, state, expires_at,
        used_day, used_month, created_at${mandates.ofHold})
      select payment_id, from_account, to_account, amount, captured, remaining, state, expires_at,
        used_day, used_month, ${batch.decidedAt}${mandates.ofHold}
      from ${newHoldRows(batch.newHolds)} as r
      where (select unchanged from verdict)
    )${mandates.used}, changed_holds as (
      update holds as h
      set captured = r.captured, remaining = r.remaining, state = r.state
      from ${changedHoldRows(batch.changedHolds)} as r
      where h.payment_id = r.payment_id and (select unchanged from verdict)
    ), decided as (
      insert into decisions (payment_id, operation_id, kind, fingerprint, outcome, code, decision, remaining, facts,
        decided_at)
      select payment_id, operation_id, kind, fingerprint, outcome, code, decision, remaining, facts, decided_at
      from ${decisionRows(batch.steps)} as r
      where (select unchanged from verdict)
    )
    select unchanged from verdict`.execute(db);
  return rows[0]?.unchanged ?? false;
}

interface MandateParts {
  free: RawBuilder<unknown>;
  areFree: RawBuilder<unknown>;
  ofHold: RawBuilder<unknown>;
  used: RawBuilder<unknown>;
}

const NO_MANDATES: MandateParts = { free: sql``, areFree: sql``, ofHold: sql``, used: sql`` };
const WITH_MANDATE = sql`, mandate_id`;

function mandateParts({ changedMandates, newHolds }: DecidedBatch): MandateParts {
  if (changedMandates.length === 0) return NO_MANDATES;
  const ids = changedMandates.map(({ id }) => id);
  return {
    free: sql`, free_mandates as (
      select id from mandates where id = any(${ids}::text[]) for update skip locked
    )`,
    areFree: sql` and (select count(*) from free_mandates) = ${ids.length}`,
    ofHold: newHolds.some(isByMandate) ? WITH_MANDATE : sql``,
    used: sql`, used_mandates as (
      update mandates as m
      set spent_day = r.spent_day, spent_today = r.spent_today, spent_month = r.spent_month,
        spent_this_month = r.spent_this_month
      from ${mandateRows(changedMandates)} as r
      where m.id = r.id and (select unchanged from verdict)
    )`,
  };
}

const isByMandate = ({ mandateId }: Hold) => mandateId !== undefined;

export function mandateRows(mandates: readonly Mandate[]) {
  const rows = mandates.map(({ id, usage }) => ({
    id,
    spent_day: usage.day,
    spent_today: usage.spentToday,
    spent_month: usage.month,
    spent_this_month: usage.spentThisMonth,
  }));
  return unnest(rows, {
    id: 'text',
    spent_day: 'date',
    spent_today: 'int8',
    spent_month: 'date',
    spent_this_month: 'int8',
  });
}

/** Money must not move from or to an account without a row. */
function requireRows(changed: readonly Account[], rowVersions: ReadonlyMap<string, string>): void {
  if (changed.some(({ id }) => !rowVersions.has(id))) {
    throw new Error('A decision would have changed an account that does not exist.');
  }
}

function versionRows(rowVersions: ReadonlyMap<string, string>) {
  const rows = Array.from(rowVersions, ([account_id, row_version]) => ({ account_id, row_version }));
  return unnest(rows, { account_id: 'text', row_version: 'xid' });
}

export function balanceRows(accounts: readonly Account[]) {
  const rows = accounts.map(({ id, posted, held, usage, decidedAt }) => ({
    account_id: id,
    posted,
    held,
    spent_day: usage.day,
    spent_today: usage.spentToday,
    count_today: usage.countToday,
    spent_month: usage.month,
    spent_this_month: usage.spentThisMonth,
    decided_at: decidedAt,
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
    decided_at: 'timestamptz',
  });
}

export function newHoldRows(holds: readonly Hold[]) {
  const rows = holds.map((hold) => ({
    ...changeable(hold),
    from_account: hold.fromAccount,
    to_account: hold.toAccount,
    amount: hold.amount,
    expires_at: hold.expiresAt,
    used_day: hold.usedIn?.day,
    used_month: hold.usedIn?.month,
    mandate_id: hold.mandateId,
  }));
  return unnest(rows, holds.some(isByMandate) ? { ...HOLD_COLUMNS, mandate_id: 'text' } : HOLD_COLUMNS);
}

export function changedHoldRows(holds: readonly Hold[]) {
  return unnest(holds.map(changeable), CHANGEABLE);
}

/** The key of a hold and its columns that change. */
function changeable({ paymentId, captured, remaining, state }: Hold) {
  return { payment_id: paymentId, captured, remaining, state };
}
const CHANGEABLE = { payment_id: 'text', captured: 'int8', remaining: 'int8', state: 'text' } as const;
const HOLD_COLUMNS = {
  ...CHANGEABLE,
  from_account: 'text',
  to_account: 'text',
  amount: 'int8',
  expires_at: 'timestamptz',
  used_day: 'date',
  used_month: 'date',
} as const;

/** In the order of their ids, so that two instances that decide the same steps cannot deadlock. */
export function decisionRows(steps: readonly DecidedStep[]) {
  const rows = steps
    .toSorted((a, b) => (stepKey(a) < stepKey(b) ? -1 : 1))
    .map((step) => ({
      payment_id: step.paymentId,
      operation_id: step.operationId,
      kind: step.kind,
      fingerprint: step.fingerprint,
      outcome: step.decline === undefined ? 'APPROVED' : 'DECLINED',
      code: step.decline,
      decision: encodeDecision(step.answer.decision),
      remaining: step.answer.remaining,
      facts: step.basis && encodeFacts(step.basis),
      decided_at: step.answer.decision.decidedAt,
    }));
  return unnest(rows, {
    payment_id: 'text',
    operation_id: 'text',
    kind: 'text',
    fingerprint: 'text',
    outcome: 'text',
    code: 'text',
    decision: 'bytea',
    remaining: 'int8',
    facts: 'json',
    decided_at: 'timestamptz',
  });
}
