/** Reads the amounts counted for each account, for a reconciliation. */
import { type Kysely, sql } from 'kysely';
import type { Database } from './database.ts';

export interface AccountFigures {
  accountId: string;
  /** Empty if unknown. */
  currency: string;
  sentMinor: bigint;
  receivedMinor: bigint;
}

/** Returns the next accounts after the id, by id. If `only` is not empty, only these. */
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
    sentMinor: BigInt(row.sent_minor),
    receivedMinor: BigInt(row.received_minor),
  }));
}
