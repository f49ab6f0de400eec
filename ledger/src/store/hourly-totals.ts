/** Reads and writes the table `hourly_totals`, and sums balances of past moments from it. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { type HourlyTotal, hourOf } from '../domain/hours.ts';
import type { AccountSums } from './balances.ts';
import type { Database, HourlyTotalRow } from './database.ts';

/** Adds newly sealed transactions. Only the sealer writes these rows, so there is no contention for them. */
export async function addToHourlyTotals(
  trx: Transaction<Database>,
  changes: readonly HourlyTotal[],
): Promise<void> {
  const rows: HourlyTotalRow[] = changes.map((change) => ({
    account_id: change.accountId,
    currency: change.currency,
    hour: change.hour,
    posted_minor: change.postedMinor,
    pending_minor: change.pendingMinor,
  }));
  const types = {
    account_id: 'text',
    currency: 'text',
    hour: 'timestamptz',
    posted_minor: 'int8',
    pending_minor: 'int8',
  } as const;
  await sql`
    insert into hourly_totals as h (account_id, currency, hour, posted_minor, pending_minor)
    select r.account_id, r.currency, r.hour, r.posted_minor, r.pending_minor from ${unnest(rows, types)} as r
    on conflict (account_id, hour, currency) do update set
      posted_minor = h.posted_minor + excluded.posted_minor,
      pending_minor = h.pending_minor + excluded.pending_minor`.execute(trx);
}

/**
 * Sums the account's entries before the moment. Whole hours come from their totals, the rest of the last hour from its entries.
 * Transactions that are not sealed are in no total yet, so they come from the queue. All this is one statement, so its parts show
 * the same moment.
 */
export async function sumBefore(db: Kysely<Database>, accountId: string, moment: Date): Promise<AccountSums> {
  const hour = hourOf(moment);
  const { rows } = await sql<{ posted_minor: bigint; pending_minor: bigint }>`
    select coalesce(sum(posted_minor), 0)::bigint as posted_minor,
           coalesce(sum(pending_minor), 0)::bigint as pending_minor
    from (
      select posted_minor, pending_minor from hourly_totals where account_id = ${accountId} and hour < ${hour}
      union all
      ${signed('debit', sql`postings as p`, sql`p.debit_account = ${accountId} and p.created_at >= ${hour} and p.created_at < ${moment}`)}
      union all
      ${signed('credit', sql`postings as p`, sql`p.credit_account = ${accountId} and p.created_at >= ${hour} and p.created_at < ${moment}`)}
      union all
      ${signed('debit', UNSEALED_POSTINGS, sql`p.debit_account = ${accountId} and p.created_at < ${hour}`)}
      union all
      ${signed('credit', UNSEALED_POSTINGS, sql`p.credit_account = ${accountId} and p.created_at < ${hour}`)}
    ) as part`.execute(db);
  return { postedMinor: rows[0]?.posted_minor ?? 0n, pendingMinor: rows[0]?.pending_minor ?? 0n };
}

/**
 * Starts from the queue: OFFSET 0 keeps the planner from reading the account's entries first. A transaction that already has its
 * position, and came back into the queue with a replay, is in the totals.
 */
const UNSEALED_POSTINGS = sql`unsealed as u cross join lateral (
  select debit_account, credit_account, created_at, kind, amount_minor
  from postings where transaction_id = u.transaction_id
    and not exists (select from seals as s where s.transaction_id = u.transaction_id)
  offset 0
) as p`;

function signed(
  side: 'debit' | 'credit',
  source: RawBuilder<unknown>,
  condition: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const amount = side === 'debit' ? sql`-p.amount_minor` : sql`p.amount_minor`;
  return sql`
    select case p.kind when 'transfer' then ${amount} else 0 end, case p.kind when 'transfer' then 0 else ${amount} end
    from ${source} where ${condition}`;
}
