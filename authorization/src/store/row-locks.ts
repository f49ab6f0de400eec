/** Locks the rows that steps change: balances and holds. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';

/** A name for a row of either table. */
export type RowName = `account:${string}` | `hold:${string}`;
export const accountRow = (id: string): RowName => `account:${id}`;
export const holdRow = (paymentId: string): RowName => `hold:${paymentId}`;

const idsIn = (rows: Iterable<RowName>, table: 'account' | 'hold') =>
  [...rows].filter((row) => row.startsWith(`${table}:`)).map((row) => row.slice(table.length + 1));

/**
 * Locks the existing ones of these accounts and holds until the transaction ends. Accounts come before holds, and each table is
 * locked in order of ids, so two transactions cannot deadlock.
 */
export async function lockRows(
  trx: Transaction<Database>,
  accountIds: Iterable<string>,
  heldPaymentIds: readonly string[] = [],
): Promise<void> {
  await trx
    .selectFrom('balances')
    .where('account_id', '=', sql<string>`any(${[...accountIds]}::text[])`)
    .select('account_id')
    .orderBy('account_id')
    .forUpdate()
    .execute();
  if (heldPaymentIds.length === 0) return;
  await trx
    .selectFrom('holds')
    .where('payment_id', '=', sql<string>`any(${heldPaymentIds}::text[])`)
    .select('payment_id')
    .orderBy('payment_id')
    .forUpdate()
    .execute();
}

/** Returns the rows that other sessions have locked at this moment. Waits for no lock. */
export async function findLockedRows(db: Kysely<Database>, rows: Iterable<RowName>): Promise<Set<RowName>> {
  const names = [...rows];
  const accountIds = idsIn(names, 'account');
  const paymentIds = idsIn(names, 'hold');
  const { rows: locked } = await sql<{ name: RowName }>`
    with free_accounts as (
      select account_id from balances where account_id = any(${accountIds}::text[]) for update skip locked
    ), free_holds as (
      select payment_id from holds where payment_id = any(${paymentIds}::text[]) for update skip locked
    )
    select 'account:' || account_id as name from balances
    where account_id = any(${accountIds}::text[]) and account_id not in (select account_id from free_accounts)
    union all
    select 'hold:' || payment_id from holds
    where payment_id = any(${paymentIds}::text[]) and payment_id not in (select payment_id from free_holds)`.execute(
    db,
  );
  return new Set(locked.map(({ name }) => name));
}
