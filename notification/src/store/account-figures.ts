/** How much each account was told, counted from the notifications themselves. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

export interface AccountFigures {
  accountId: string;
  notificationCount: bigint;
}

/**
 * The next accounts that were told anything, by id. Each is found by one step into the index behind the one before, however
 * much it was told: https://wiki.postgresql.org/wiki/Loose_indexscan
 */
export async function listAccountsAfter(
  db: Kysely<Database>,
  accountId: string,
  limit: number,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with recursive walk (id) as (
      (select account_id from notifications where account_id > ${accountId} order by account_id limit 1)
      union all
      select (select account_id from notifications where account_id > walk.id order by account_id limit 1)
      from walk where walk.id is not null
    )
    select id from walk where id is not null order by id limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}

/** One line for each of the accounts that was told anything, by id. */
export async function countByAccount(
  db: Kysely<Database>,
  accountIds: readonly string[],
): Promise<AccountFigures[]> {
  const { rows } = await sql<{ account_id: string; notification_count: bigint }>`
    select account_id, count(*) as notification_count from notifications
    where account_id = any(${accountIds}::text[])
    group by account_id order by account_id`.execute(db);
  return rows.map((row) => ({ accountId: row.account_id, notificationCount: row.notification_count }));
}
