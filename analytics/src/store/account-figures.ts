/** What was counted for each account, for a reconciliation to read. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

export interface AccountFigures {
  accountId: string;
  /** Empty where it is not known. */
  currency: string;
  sentMinor: bigint;
  receivedMinor: bigint;
}

/** The next accounts after the id, by id; of these only, if any are named. */
export async function listFiguresAfter(
  db: Kysely<Database>,
  accountId: string,
  only: readonly string[],
  limit: number,
): Promise<AccountFigures[]> {
  const rows = await db
    .selectFrom('account_totals')
    .select(['account_id', 'currency', 'sent_minor', 'received_minor'])
    .where('account_id', '>', accountId)
    .$if(only.length > 0, (query) => query.where('account_id', '=', sql<string>`any(${[...only]}::text[])`))
    .orderBy('account_id')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    currency: row.currency ?? '',
    sentMinor: row.sent_minor,
    receivedMinor: row.received_minor,
  }));
}
