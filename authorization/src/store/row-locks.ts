/** Locks the rows that steps change: balances, holds and mandates. */
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Database } from './database.ts';

/** A name for a row of one of the tables. */
export type RowName = `account:${string}` | `hold:${string}` | `mandate:${string}`;
export const accountRow = (id: string): RowName => `account:${id}`;
export const holdRow = (paymentId: string): RowName => `hold:${paymentId}`;
export const mandateRow = (id: string): RowName => `mandate:${id}`;

const idsIn = (rows: Iterable<RowName>, table: 'account' | 'hold' | 'mandate') =>
  [...rows].filter((row) => row.startsWith(`${table}:`)).map((row) => row.slice(table.length + 1));

interface RowsToLock {
  accountIds: Iterable<string>;
  heldPaymentIds?: readonly string[];
  mandateIds?: readonly string[];
}

/**
 * Locks the existing ones of these rows until the transaction ends. Accounts come before holds, and holds before mandates. Each table is
 * locked in order of ids, so two transactions cannot deadlock.
 */
export async function lockRows(
  trx: Transaction<Database>,
  { accountIds, heldPaymentIds = [], mandateIds = [] }: RowsToLock,
): Promise<void> {
  await trx
    .selectFrom('balances')
    .where('account_id', '=', sql<string>`any(${[...accountIds]}::text[])`)
    .select('account_id')
    .orderBy('account_id')
    .forUpdate()
    .execute();
  if (heldPaymentIds.length > 0) {
    await trx
      .selectFrom('holds')
      .where('payment_id', '=', sql<string>`any(${heldPaymentIds}::text[])`)
      .select('payment_id')
      .orderBy('payment_id')
      .forUpdate()
      .execute();
  }
  if (mandateIds.length === 0) return;
  await trx
    .selectFrom('mandates')
    .where('id', '=', sql<string>`any(${mandateIds}::text[])`)
    .select('id')
    .orderBy('id')
    .forUpdate()
    .execute();
}

/** Returns the rows that other sessions have locked at this moment. Waits for no lock. */
export async function findLockedRows(db: Kysely<Database>, rows: Iterable<RowName>): Promise<Set<RowName>> {
  const names = [...rows];
  const accountIds = idsIn(names, 'account');
  const paymentIds = idsIn(names, 'hold');
  const mandateIds = idsIn(names, 'mandate');
  const { rows: locked } = await sql<{ name: RowName }>`
    with free_accounts as (
      select account_id from balances where account_id = any(${accountIds}::text[]) for update skip locked
    ), free_holds as (
      select payment_id from holds where payment_id = any(${paymentIds}::text[]) for update skip locked
    ), free_mandates as (
      select id from mandates where id = any(${mandateIds}::text[]) for update skip locked
    )
    select 'account:' || account_id as name from balances
    where account_id = any(${accountIds}::text[]) and account_id not in (select account_id from free_accounts)
    union all
    select 'hold:' || payment_id from holds
    where payment_id = any(${paymentIds}::text[]) and payment_id not in (select payment_id from free_holds)
    union all
    select 'mandate:' || id from mandates
    where id = any(${mandateIds}::text[]) and id not in (select id from free_mandates)`.execute(db);
  return new Set(locked.map(({ name }) => name));
}
