/** Accounts: who owns what. Their money is in balances.ts. */
import type { Kysely, Transaction } from 'kysely';
import type { AccountRecord } from '../domain/account.ts';
import { ACCOUNT_COLUMNS, lockAccounts, toAccount } from './balances.ts';
import type { Database } from './database.ts';

export async function insertAccount(trx: Transaction<Database>, account: AccountRecord): Promise<void> {
  const { limits } = account;
  await trx
    .insertInto('accounts')
    .values({
      id: account.id,
      owner_id: account.ownerId,
      name: account.name,
      currency: account.currency,
      is_external: false,
      created_at: account.createdAt,
    })
    .execute();
  await trx
    .insertInto('balances')
    .values({
      account_id: account.id,
      is_external: false,
      time_zone: account.timeZone,
      limit_per_payment: limits.perPayment,
      limit_daily: limits.daily,
      limit_monthly: limits.monthly,
      limit_daily_count: limits.dailyCount,
    })
    .execute();
}

/** The world outside, in one currency; does nothing where it is there already. */
export async function insertExternalAccount(
  trx: Transaction<Database>,
  id: string,
  currency: string,
  createdAt: Date,
): Promise<void> {
  await trx
    .insertInto('accounts')
    .values({ id, owner_id: null, name: '', currency, is_external: true, created_at: createdAt })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await trx
    .insertInto('balances')
    .values({ account_id: id, is_external: true })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

function selectRecords(db: Kysely<Database>) {
  return db
    .selectFrom('accounts as a')
    .innerJoin('balances as b', 'b.account_id', 'a.id')
    .select([...ACCOUNT_COLUMNS, 'a.name', 'a.version', 'a.created_at']);
}

type RecordRow = Awaited<ReturnType<ReturnType<typeof selectRecords>['execute']>>[number];

function toRecord(row: RecordRow): AccountRecord {
  return { ...toAccount(row), name: row.name, version: row.version, createdAt: row.created_at };
}

export async function findAccount(db: Kysely<Database>, id: string): Promise<AccountRecord | undefined> {
  const row = await selectRecords(db).where('a.id', '=', id).executeTakeFirst();
  return row && toRecord(row);
}

/**
 * The account as it is once nobody else decides on it or changes it. Read after the lock was had: name and version stand
 * in another row than the lock.
 */
export async function lockAccount(
  trx: Transaction<Database>,
  id: string,
): Promise<AccountRecord | undefined> {
  await lockAccounts(trx, [id]);
  return findAccount(trx, id);
}

/** Writes what operators may change. The account is locked. */
export async function saveAccount(trx: Transaction<Database>, account: AccountRecord): Promise<void> {
  const { limits } = account;
  await trx
    .updateTable('accounts')
    .set({ name: account.name, version: account.version })
    .where('id', '=', account.id)
    .execute();
  await trx
    .updateTable('balances')
    .set({
      state: account.state,
      time_zone: account.timeZone,
      limit_per_payment: limits.perPayment,
      limit_daily: limits.daily,
      limit_monthly: limits.monthly,
      limit_daily_count: limits.dailyCount,
    })
    .where('account_id', '=', account.id)
    .execute();
}

/** Newest first, beginning before `before`; without external ones. `ownerId` undefined: everybody's. */
export async function listAccounts(
  db: Kysely<Database>,
  { ownerId, before, limit }: { ownerId: string | undefined; before: string | undefined; limit: number },
): Promise<AccountRecord[]> {
  let query = selectRecords(db).where('a.owner_id', 'is not', null);
  if (ownerId !== undefined) query = query.where('a.owner_id', '=', ownerId);
  if (before !== undefined) query = query.where('a.id', '<', before);
  const rows = await query.orderBy('a.id', 'desc').limit(limit).execute();
  return rows.map(toRecord);
}
