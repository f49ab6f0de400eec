/** Reads the balances that decisions are based on. */
import { type Kysely, type Selectable, sql } from 'kysely';
import type { Account } from '../domain/account.ts';
import type { AccountsTable, BalancesTable, Database } from './database.ts';

type AccountRow = Selectable<
  Pick<AccountsTable, 'id' | 'owner_id' | 'currency' | 'is_external' | 'created_at'>
> &
  Selectable<Omit<BalancesTable, 'account_id' | 'is_external'>>;

/** The columns of an Account, in a query of `balances as b` joined with `accounts as a`. */
export const ACCOUNT_COLUMNS = [
  'a.id',
  'a.owner_id',
  'a.currency',
  'a.is_external',
  'a.created_at',
  'b.state',
  'b.time_zone',
  'b.posted',
  'b.held',
  'b.spent_day',
  'b.spent_today',
  'b.count_today',
  'b.spent_month',
  'b.spent_this_month',
  'b.limit_per_payment',
  'b.limit_daily',
  'b.limit_monthly',
  'b.limit_daily_count',
  'b.decided_at',
] as const;

export function toAccount(row: AccountRow): Account {
  return {
    id: row.id,
    ownerId: row.owner_id,
    currency: row.currency,
    isExternal: row.is_external,
    state: row.state,
    limits: {
      perPayment: row.limit_per_payment,
      daily: row.limit_daily,
      monthly: row.limit_monthly,
      dailyCount: row.limit_daily_count,
    },
    timeZone: row.time_zone,
    posted: row.posted,
    held: row.held,
    usage: {
      day: row.spent_day,
      spentToday: row.spent_today,
      countToday: row.count_today,
      month: row.spent_month,
      spentThisMonth: row.spent_this_month,
    },
    createdAt: row.created_at,
    decidedAt: row.decided_at ?? undefined,
  };
}

/** Accounts with the versions of their rows. */
export interface ReadAccounts {
  accounts: Map<string, Account>;
  /** By account id: `xmin`, the transaction that wrote the row. It differs as soon as anything in the row has changed. */
  rowVersions: ReadonlyMap<string, string>;
}

/** Reads those of these accounts that exist. */
export async function readAccounts(db: Kysely<Database>, ids: Iterable<string>): Promise<ReadAccounts> {
  const rows = await db
    .selectFrom('balances as b')
    .innerJoin('accounts as a', 'a.id', 'b.account_id')
    .where('b.account_id', '=', sql<string>`any(${[...ids]}::text[])`)
    .select([...ACCOUNT_COLUMNS, sql<string>`b.xmin::text`.as('row_version')])
    .execute();
  return {
    accounts: new Map(rows.map((row) => [row.id, toAccount(row)])),
    rowVersions: new Map(rows.map((row) => [row.id, row.row_version])),
  };
}

export interface BalanceLine {
  accountId: string;
  currency: string;
  posted: bigint;
  held: bigint;
}

/** Returns balances of all accounts, also external ones, or of the given ones only. In order of ids, starting after `after`. */
export async function listBalances(
  db: Kysely<Database>,
  { after, only, limit }: { after: string; only: readonly string[]; limit: number },
): Promise<BalanceLine[]> {
  return db
    .selectFrom('balances as b')
    .innerJoin('accounts as a', 'a.id', 'b.account_id')
    .where('b.account_id', '>', after)
    .$if(only.length > 0, (query) => query.where('b.account_id', '=', sql<string>`any(${[...only]}::text[])`))
    .select(['b.account_id as accountId', 'a.currency', 'b.posted', 'b.held'])
    .orderBy('b.account_id')
    .limit(limit)
    .execute();
}

/** Returns the sum of all holds of each currency that has an account. */
export async function sumHeld(db: Kysely<Database>): Promise<{ currency: string; heldMinor: bigint }[]> {
  const { rows } = await sql<{ currency: string; held: bigint }>`
    select a.currency, sum(b.held)::bigint as held
    from balances as b join accounts as a on a.id = b.account_id group by a.currency`.execute(db);
  return rows.map(({ currency, held }) => ({ currency, heldMinor: held }));
}
