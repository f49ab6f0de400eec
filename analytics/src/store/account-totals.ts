/** Reads and writes the table `account_totals`. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { AccountChange, AccountTotals } from '../domain/totals.ts';
import type { AccountTotalsRow, Database } from './database.ts';

/** Adds the changes to the stored totals. Rows are locked in the given order, so pass them sorted by account id. */
export async function addToAccounts(
  trx: Transaction<Database>,
  accounts: readonly AccountChange[],
): Promise<void> {
  const rows: AccountTotalsRow[] = accounts.map((account) => ({
    account_id: account.accountId,
    currency: account.currency ?? null,
    sent_count: account.sentCount,
    sent_minor: account.sentMinor.toString(),
    received_count: account.receivedCount,
    received_minor: account.receivedMinor.toString(),
    failed_count: account.failedCount,
  }));
  const types = {
    account_id: 'text',
    currency: 'text',
    sent_count: 'int8',
    sent_minor: 'text',
    received_count: 'int8',
    received_minor: 'text',
    failed_count: 'int8',
  } as const;
  await sql`
    insert into account_totals as a (account_id, currency, sent_count, sent_minor, received_count, received_minor, failed_count)
    select r.account_id, r.currency, r.sent_count, r.sent_minor::numeric, r.received_count, r.received_minor::numeric, r.failed_count
    from ${unnest(rows, types)} as r order by r.ordinality
    on conflict (account_id) do update set
      currency = coalesce(a.currency, excluded.currency),
      sent_count = a.sent_count + excluded.sent_count,
      sent_minor = a.sent_minor + excluded.sent_minor,
      received_count = a.received_count + excluded.received_count,
      received_minor = a.received_minor + excluded.received_minor,
      failed_count = a.failed_count + excluded.failed_count`.execute(trx);
}

export async function findAccountTotals(
  db: Kysely<Database>,
  accountId: string,
): Promise<AccountTotals | undefined> {
  const row = await selectAll(db).where('account_id', '=', accountId).executeTakeFirst();
  return row && toTotals(row);
}

/** Returns the next accounts after the id, by id. */
export async function listAccountTotalsAfter(
  db: Kysely<Database>,
  accountId: string,
  limit: number,
): Promise<AccountTotals[]> {
  const rows = await selectAll(db)
    .where('account_id', '>', accountId)
    .orderBy('account_id')
    .limit(limit)
    .execute();
  return rows.map(toTotals);
}

function selectAll(db: Kysely<Database>) {
  return db
    .selectFrom('account_totals')
    .select(['account_id', 'sent_count', 'sent_minor', 'received_count', 'received_minor', 'failed_count']);
}

function toTotals(row: Omit<AccountTotalsRow, 'currency'>): AccountTotals {
  return {
    accountId: row.account_id,
    sentCount: row.sent_count,
    sentMinor: BigInt(row.sent_minor),
    receivedCount: row.received_count,
    receivedMinor: BigInt(row.received_minor),
    failedCount: row.failed_count,
  };
}
