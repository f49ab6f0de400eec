/** Reads and writes the table `balances`, the running sums of the journal. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Balance } from '../domain/balances.ts';
import type { BalanceRow, Database } from './database.ts';

/** Adds the changes to the stored balances. Rows are locked in the given order, so pass them sorted by account id. */
export async function addToBalances(trx: Transaction<Database>, changes: readonly Balance[]): Promise<void> {
  const rows: BalanceRow[] = changes.map((change) => ({
    account_id: change.accountId,
    currency: change.currency,
    posted_minor: change.postedMinor,
    pending_minor: change.pendingMinor,
    held_minor: change.heldMinor,
  }));
  const types = {
    account_id: 'text',
    currency: 'text',
    posted_minor: 'int8',
    pending_minor: 'int8',
    held_minor: 'int8',
  } as const;
  await sql`
    insert into balances as b (account_id, currency, posted_minor, pending_minor, held_minor)
    select r.account_id, r.currency, r.posted_minor, r.pending_minor, r.held_minor
    from ${unnest(rows, types)} as r order by r.ordinality
    on conflict (account_id, currency) do update set
      posted_minor = b.posted_minor + excluded.posted_minor,
      pending_minor = b.pending_minor + excluded.pending_minor,
      held_minor = b.held_minor + excluded.held_minor`.execute(trx);
}

export interface AccountSums {
  postedMinor: bigint;
  pendingMinor: bigint;
}

/** Returns the stored balance of an account; undefined if the journal does not know it. */
export async function findBalance(db: Kysely<Database>, accountId: string): Promise<AccountSums | undefined> {
  const row = await db
    .selectFrom('balances')
    .select(['posted_minor', 'pending_minor'])
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return row && { postedMinor: row.posted_minor, pendingMinor: row.pending_minor };
}

/** Returns the currency of an account, ISO 4217; undefined if the journal does not know it. */
export async function findCurrency(db: Kysely<Database>, accountId: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('balances')
    .select('currency')
    .where('account_id', '=', accountId)
    .executeTakeFirst();
  return row?.currency;
}

/** Returns the next balances after this one, by account id and currency. */
export async function listBalancesAfter(
  db: Kysely<Database>,
  { accountId, currency }: { accountId: string; currency: string },
  limit: number,
): Promise<Balance[]> {
  const rows = await db
    .selectFrom('balances')
    .select(['account_id', 'currency', 'posted_minor', 'pending_minor', 'held_minor'])
    .where(sql<boolean>`(account_id, currency) > (${accountId}, ${currency})`)
    .orderBy('account_id')
    .orderBy('currency')
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    currency: row.currency,
    postedMinor: row.posted_minor,
    pendingMinor: row.pending_minor,
    heldMinor: row.held_minor,
  }));
}

/** Returns the stored balances of these accounts. Accounts that the journal does not know are left out. */
export async function listStoredBalances(
  db: Kysely<Database>,
  accountIds: readonly string[],
): Promise<Omit<Balance, 'pendingMinor'>[]> {
  const rows = await db
    .selectFrom('balances')
    .select(['account_id', 'currency', 'posted_minor', 'held_minor'])
    .where('account_id', '=', sql<string>`any(${[...accountIds]}::text[])`)
    .execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    currency: row.currency,
    postedMinor: row.posted_minor,
    heldMinor: row.held_minor,
  }));
}
