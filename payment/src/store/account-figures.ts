/** What payments add up to, account by account: folded from the payments themselves, since nothing is kept that could differ from them. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

export interface AccountFigures {
  accountId: string;
  currency: string;
  postedMinor: bigint;
  heldMinor: bigint;
  sentMinor: bigint;
  receivedMinor: bigint;
  notificationCount: bigint;
  pendingCount: bigint;
}

/**
 * The next accounts that any payment names, by id. Each is found by one step into the index behind the one before, however many
 * payments it has: https://wiki.postgresql.org/wiki/Loose_indexscan
 */
export async function listAccountsAfter(
  db: Kysely<Database>,
  accountId: string,
  limit: number,
): Promise<string[]> {
  const walk = (column: 'from_account' | 'to_account') => sql`
    with recursive walk (id) as (
      (select ${sql.ref(column)} from payments where ${sql.ref(column)} > ${accountId} order by 1 limit 1)
      union all
      select (select ${sql.ref(column)} from payments where ${sql.ref(column)} > walk.id order by 1 limit 1)
      from walk where walk.id is not null
    )
    select id from walk where id is not null limit ${limit}`;
  const { rows } = await sql<{ id: string }>`
    select id from (${walk('from_account')}) as payers union select id from (${walk('to_account')}) as receivers
    order by id limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}

/** With more messages than this waiting, which accounts they are about is not worth finding out: every account counts as pending. */
const BACKLOG = 10_000;

/**
 * One line for each of the accounts and each currency, by both; none for an account that no payment names.
 * A payment's version counts its events: 1 for the first, which nobody is notified of, and one more for each step after it.
 */
export async function foldFigures(
  db: Kysely<Database>,
  accountIds: readonly string[],
): Promise<AccountFigures[]> {
  const among = sql`any(${accountIds}::text[])`;
  const { rows } = await sql<FiguresRow>`
    with unfinished as materialized (
      select payment_id from operations where state = 'PENDING'
      union all
      (select key from outbox limit ${BACKLOG + 1})
    ), lines as (
      select from_account as account_id, currency, refunded_minor - captured_minor as posted,
        case when state in ('AUTHORIZED', 'PARTIALLY_CAPTURED') then amount_minor - captured_minor - released_minor end as held,
        case kind when 'PAYMENT' then captured_minor end as sent, null::bigint as received,
        case when from_owner_id is not null and failure_code is distinct from 'FROM_ACCOUNT_NOT_FOUND'
          then version - 1 end as notifications,
        (state = 'INITIATED')::int as pending
      from payments where from_account = ${among}
      union all
      select to_account, currency, captured_minor - refunded_minor, null, null,
        case kind when 'PAYMENT' then captured_minor end,
        case when to_owner_id is not null then version - 1 end,
        (state = 'INITIATED')::int
      from payments where to_account = ${among}
      union all
      select side.account_id, p.currency, 0, null, null, null, null, 1
      from unfinished as u join payments as p on p.id = u.payment_id
        cross join lateral (values (p.from_account), (p.to_account)) as side (account_id)
      where side.account_id = ${among}
    )
    select account_id, currency, sum(posted)::bigint as posted, coalesce(sum(held), 0)::bigint as held,
      coalesce(sum(sent), 0)::bigint as sent, coalesce(sum(received), 0)::bigint as received,
      coalesce(sum(notifications), 0)::bigint as notifications,
      sum(pending)::bigint + (select (count(*) > ${BACKLOG})::int from unfinished) as pending
    from lines group by account_id, currency order by account_id, currency`.execute(db);
  return rows.map(toFigures);
}

interface FiguresRow {
  account_id: string;
  currency: string;
  posted: bigint;
  held: bigint;
  sent: bigint;
  received: bigint;
  notifications: bigint;
  pending: bigint;
}

function toFigures(row: FiguresRow): AccountFigures {
  return {
    accountId: row.account_id,
    currency: row.currency,
    postedMinor: row.posted,
    heldMinor: row.held,
    sentMinor: row.sent,
    receivedMinor: row.received,
    notificationCount: row.notifications,
    pendingCount: row.pending,
  };
}
