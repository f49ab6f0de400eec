/** Sums the whole journal again, in one consistent view of the database. */
import { sql, type Transaction } from 'kysely';
import type { ComparedAccount } from '../domain/proof.ts';
import type { Database } from './database.ts';

export interface JournalCounts {
  transactionCount: bigint;
  postingCount: bigint;
  openHoldCount: bigint;
}

/** A proof reads every posting, which may take longer than any other statement is allowed to. */
export const PROOF_STATEMENT_TIMEOUT_MS = 120_000;
/** A proof calls authorization between its pages, and holds no locks meanwhile. */
export const PROOF_IDLE_TIMEOUT_MS = 30_000;

const PAGE = 1_000;

/**
 * Every account with the sum of its postings, its stored balance, its stored hourly totals, and its balance in authorization
 * (`storeAuthorized`). Totals contain sealed transactions only. They include a transaction that has its position and came back
 * into the queue with a replay.
 */
export async function* compareAccounts(snapshot: Transaction<Database>): AsyncGenerator<ComparedAccount> {
  // All rows will be fetched. Without this setting the planner would optimise for the first tenth of them.
  await sql`set local cursor_tuple_fraction = 1`.execute(snapshot);
  await sql`
    declare compared_accounts no scroll cursor for
    with waiting as (
      select transaction_id from unsealed as u
      where not exists (select from seals as s where s.transaction_id = u.transaction_id)
    ), timed as not materialized (
      select p.*, date_bin('1 hour', p.created_at, timestamptz 'epoch') as hour, w.transaction_id is null as sealed
      from postings as p left join waiting as w using (transaction_id)
    ), sides as (
      select debit_account as account_id, currency, hour, sealed, -amount_minor as signed_minor, kind,
             case kind when 'hold' then amount_minor else 0 end as held_minor
      from timed
      union all
      select credit_account, currency, hour, sealed, amount_minor, kind, case kind when 'release' then -amount_minor else 0 end
      from timed
    ), by_hour as (
      select account_id, currency, hour, sealed,
             coalesce(sum(signed_minor) filter (where kind = 'transfer'), 0)::bigint as posted_minor,
             coalesce(sum(signed_minor) filter (where kind <> 'transfer'), 0)::bigint as pending_minor,
             sum(held_minor)::bigint as held_minor
      from sides group by account_id, currency, hour, sealed
    ), folded as (
      select account_id, currency, sum(posted_minor)::bigint as posted_minor,
             sum(pending_minor)::bigint as pending_minor, sum(held_minor)::bigint as held_minor
      from by_hour group by account_id, currency
    ), wrong_hours as (
      select account_id, currency, count(*) as count
      from (select * from by_hour where sealed) as f full join hourly_totals as h using (account_id, currency, hour)
      where (f.posted_minor, f.pending_minor) is distinct from (h.posted_minor, h.pending_minor)
      group by account_id, currency
    )
    select account_id, currency, coalesce(w.count, 0) as wrong_hour_count,
           coalesce(f.posted_minor, 0) as posted_minor, coalesce(f.pending_minor, 0) as pending_minor,
           coalesce(f.held_minor, 0) as held_minor, coalesce(b.posted_minor, 0) as stored_posted_minor,
           coalesce(b.pending_minor, 0) as stored_pending_minor, coalesce(b.held_minor, 0) as stored_held_minor,
           coalesce(a.posted_minor, 0) as authorized_posted_minor, coalesce(a.held_minor, 0) as authorized_held_minor,
           coalesce(f.account_id, b.account_id, w.account_id) is not null as is_in_ledger
    from folded as f full join balances as b using (account_id, currency)
      full join wrong_hours as w using (account_id, currency)
      full join authorized_balances as a using (account_id, currency)`.execute(snapshot);
  for (;;) {
    const { rows } = await sql<ComparedRow>`fetch ${sql.lit(PAGE)} from compared_accounts`.execute(snapshot);
    yield* rows.map(toComparedAccount);
    if (rows.length < PAGE) break;
  }
  await sql`close compared_accounts`.execute(snapshot);
}

interface ComparedRow {
  account_id: string;
  currency: string;
  posted_minor: bigint;
  pending_minor: bigint;
  held_minor: bigint;
  stored_posted_minor: bigint;
  stored_pending_minor: bigint;
  stored_held_minor: bigint;
  wrong_hour_count: bigint;
  authorized_posted_minor: bigint;
  authorized_held_minor: bigint;
  is_in_ledger: boolean;
}

function toComparedAccount(row: ComparedRow): ComparedAccount {
  const key = { accountId: row.account_id, currency: row.currency };
  return {
    folded: {
      ...key,
      postedMinor: row.posted_minor,
      pendingMinor: row.pending_minor,
      heldMinor: row.held_minor,
    },
    stored: {
      ...key,
      postedMinor: row.stored_posted_minor,
      pendingMinor: row.stored_pending_minor,
      heldMinor: row.stored_held_minor,
    },
    wrongHourCount: row.wrong_hour_count,
    authorized: { postedMinor: row.authorized_posted_minor, heldMinor: row.authorized_held_minor },
    isInLedger: row.is_in_ledger,
  };
}

export async function countJournal(snapshot: Transaction<Database>): Promise<JournalCounts> {
  const { rows } = await sql<{ transactions: bigint; postings: bigint; open_holds: bigint }>`
    select (select count(*) from transactions) as transactions,
           (select count(*) from postings) as postings,
           (select count(*) from (
             select from postings as p join transactions as t on t.id = p.transaction_id
             where p.kind <> 'transfer'
             group by t.payment_id
             having sum(case p.kind when 'hold' then p.amount_minor else -p.amount_minor end) <> 0
           ) as open_hold) as open_holds`.execute(snapshot);
  const { transactions = 0n, postings = 0n, open_holds: openHolds = 0n } = rows[0] ?? {};
  return { transactionCount: transactions, postingCount: postings, openHoldCount: openHolds };
}
