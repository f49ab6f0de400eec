/** Counts the notifications of each account with the index on accounts. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

export interface AccountFigures {
  accountId: string;
  notificationCount: bigint;
}

/**
 * Returns the next accounts with notifications after the given id, ordered by id. The scan stops at the limit, so all pages
 * together read the index once.
 */
export async function countAccountsAfter(
  db: Kysely<Database>,
  accountId: string,
  limit: number,
): Promise<AccountFigures[]> {
  const { rows } = await sql<FiguresRow>`
    select account_id, count(*) as notification_count from notifications where account_id > ${accountId}
    group by account_id order by account_id limit ${limit}`.execute(db);
  return rows.map(toFigures);
}

/**
 * Returns those of the accounts that have notifications, ordered by id. Each account is counted separately, because for many at
 * once the planner would read the whole table.
 */
export async function countAccounts(
  db: Kysely<Database>,
  accountIds: readonly string[],
): Promise<AccountFigures[]> {
  const { rows } = await sql<FiguresRow>`
    select asked.account_id, counted.notification_count
    from unnest(${accountIds}::text[]) as asked (account_id)
      cross join lateral (select count(*) as notification_count from notifications as n where n.account_id = asked.account_id) as counted
    where counted.notification_count > 0
    order by asked.account_id`.execute(db);
  return rows.map(toFigures);
}

interface FiguresRow {
  account_id: string;
  notification_count: bigint;
}

function toFigures(row: FiguresRow): AccountFigures {
  return { accountId: row.account_id, notificationCount: row.notification_count };
}
