/** Reads and writes accounts, without balances. Balances are in balances.ts. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql, type Transaction } from 'kysely';
import { type AccountFilter, type AccountRecord, externalAccountId } from '../domain/account.ts';
import { ACCOUNT_COLUMNS, toAccount } from './balances.ts';
import type { Database } from './database.ts';
import { lockRows } from './row-locks.ts';

export async function insertAccounts(
  trx: Transaction<Database>,
  accounts: readonly AccountRecord[],
): Promise<void> {
  const rows = accounts.map(
    ({ id, ownerId, name, externalId, metadata, currency, createdAt, timeZone, limits }) => ({
      id,
      owner_id: ownerId,
      name,
      external_id: externalId,
      metadata,
      currency,
      created_at: createdAt,
      time_zone: timeZone,
      limit_per_payment: limits.perPayment,
      limit_daily: limits.daily,
      limit_monthly: limits.monthly,
      limit_daily_count: limits.dailyCount,
    }),
  );
  await sql`
    with opened as (
      insert into accounts (id, owner_id, name, external_id, metadata, currency, is_external, created_at)
      select id, owner_id, name, external_id, metadata, currency, false, created_at
      from ${unnest(rows, IDENTITY_COLUMNS)} as r
    )
    insert into balances (account_id, is_external, time_zone, limit_per_payment, limit_daily, limit_monthly,
      limit_daily_count)
    select id, false, time_zone, limit_per_payment, limit_daily, limit_monthly, limit_daily_count
    from ${unnest(rows, BALANCE_COLUMNS)} as r`.execute(trx);
}

const IDENTITY_COLUMNS = {
  id: 'text',
  owner_id: 'text',
  name: 'text',
  external_id: 'text',
  metadata: 'jsonb',
  currency: 'text',
  created_at: 'timestamptz',
} as const;

const BALANCE_COLUMNS = {
  id: 'text',
  time_zone: 'text',
  limit_per_payment: 'int8',
  limit_daily: 'int8',
  limit_monthly: 'int8',
  limit_daily_count: 'int4',
} as const;

/** Inserts the external accounts of these currencies. Existing ones are not changed. */
export async function insertExternalAccounts(
  trx: Transaction<Database>,
  currencies: readonly string[],
  createdAt: Date,
): Promise<void> {
  // Inserts in one order, so that two transactions with the same new currencies cannot deadlock.
  const ordered = currencies.toSorted();
  await trx
    .insertInto('accounts')
    .values(
      ordered.map((currency) => ({
        id: externalAccountId(currency),
        owner_id: null,
        name: '',
        currency,
        is_external: true,
        created_at: createdAt,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await trx
    .insertInto('balances')
    .values(ordered.map((currency) => ({ account_id: externalAccountId(currency), is_external: true })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

function selectRecords(db: Kysely<Database>) {
  return db
    .selectFrom('accounts as a')
    .innerJoin('balances as b', 'b.account_id', 'a.id')
    .select([...ACCOUNT_COLUMNS, 'a.name', 'a.external_id', 'a.metadata', 'a.version']);
}

type RecordRow = Awaited<ReturnType<ReturnType<typeof selectRecords>['execute']>>[number];

function toRecord(row: RecordRow): AccountRecord {
  const { name, external_id: externalId, metadata, version } = row;
  return { ...toAccount(row), name, externalId, metadata, version };
}

export async function findAccount(db: Kysely<Database>, id: string): Promise<AccountRecord | undefined> {
  const row = await selectRecords(db).where('a.id', '=', id).executeTakeFirst();
  return row && toRecord(row);
}

/** Locks the account and returns it. It is read after the lock, since name and version are in another row than the lock. */
export async function lockAccount(
  trx: Transaction<Database>,
  id: string,
): Promise<AccountRecord | undefined> {
  await lockRows(trx, { accountIds: [id] });
  return findAccount(trx, id);
}

/** Writes the fields that operators may change. The caller holds the account's lock. */
export async function saveAccount(trx: Transaction<Database>, account: AccountRecord): Promise<void> {
  const { limits, name, externalId, metadata, version } = account;
  await trx
    .updateTable('accounts')
    .set({ name, external_id: externalId, metadata: JSON.stringify(metadata), version })
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

/** Newest first, starting before `before`, without external accounts. */
export async function listAccounts(
  db: Kysely<Database>,
  { ownerId, state, name, externalId }: AccountFilter,
  { before, limit }: { before: string | undefined; limit: number },
): Promise<AccountRecord[]> {
  let query = selectRecords(db).where('a.owner_id', 'is not', null);
  if (ownerId !== undefined) query = query.where('a.owner_id', '=', ownerId);
  // The indexes on names and external ids are only of those that have one.
  if (name !== undefined) query = query.where('a.name', '=', name).where('a.name', '<>', '');
  if (externalId !== undefined)
    query = query.where('a.external_id', '=', externalId).where('a.external_id', '<>', '');
  if (state !== undefined) query = query.where('b.state', '=', state);
  if (state !== undefined && state !== 'ACTIVE') query = query.where('b.state', '<>', 'ACTIVE');
  if (before !== undefined) query = query.where('a.id', '<', before);
  const rows = await query.orderBy('a.id', 'desc').limit(limit).execute();
  return rows.map(toRecord);
}

/** Newest first. The index on owners has the ids, so no account is read. */
export async function listAccountIds(
  db: Kysely<Database>,
  { ownerId, before, limit }: { ownerId: string; before: string | undefined; limit: number },
): Promise<string[]> {
  const rows = await db
    .selectFrom('accounts')
    .select('id')
    .where('owner_id', '=', ownerId)
    .$if(before !== undefined, (query) => query.where('id', '<', before ?? ''))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(({ id }) => id);
}
