/** Reads entries. An entry is one side of a posting. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { type Direction, type Entry, type Layer, layerOf, type PostingKind } from '../domain/journal.ts';
import type { Database } from './database.ts';

/** The position of the last entry of a page. */
export interface EntryPosition {
  createdAt: Date;
  transactionId: string;
  number: number;
  direction: Direction;
}

export interface EntryFilter {
  /** Entries of these accounts. Undefined means all accounts. */
  accountIds: readonly string[] | undefined;
  paymentId: string | undefined;
  layer: Layer | undefined;
  direction: Direction | undefined;
  currency: string | undefined;
  /** At this moment or later. */
  createdAfter: Date | undefined;
  /** Earlier than this moment. */
  createdBefore: Date | undefined;
  /** Older than this entry. */
  before: EntryPosition | undefined;
}

/**
 * The newest entries that pass the filter. There is one subquery for each side and each account. An index gives its entries in
 * order and the scan stops at the limit, however many entries a busy account has.
 *
 * If there are more accounts than the page has entries, only the newest entry of each side of each account is read first. An entry of the
 * page is never newer than the newest one of its own side and account, so a page needs only the accounts of the newest ones.
 */
export async function listEntries(
  db: Kysely<Database>,
  filter: EntryFilter,
  limit: number,
): Promise<Entry[]> {
  const { accountIds } = filter;
  const sides = (count: number) => {
    const directions: readonly Direction[] = filter.direction ? [filter.direction] : ['debit', 'credit'];
    return sql.join(
      directions.map((direction) => sql`(${newestOf(direction, filter, count)})`),
      sql` union all `,
    );
  };
  const among = (accounts: RawBuilder<unknown>, count: number) =>
    sql`${accounts} as account (id) cross join lateral (${sides(count)})`;
  const newestFirst = sql`e.created_at desc, e.transaction_id desc, e.number desc, e.direction desc`;

  let source = sql`(${sides(limit)})`;
  if (accountIds !== undefined) {
    const all = sql`unnest(${accountIds}::text[])`;
    const newest = sql`(select distinct id from (
      select account.id from ${among(all, 1)} as e order by ${newestFirst} limit ${limit}) as newest)`;
    source = among(accountIds.length > limit ? newest : all, limit);
  }
  const { rows } = await sql<EntryRow>`
    select e.transaction_id, e.number, e.direction, e.account_id, e.amount_minor, e.currency, e.kind, e.payment_id, e.created_at
    from ${source} as e order by ${newestFirst} limit ${limit}`.execute(db);
  return rows.map(toEntry);
}

function newestOf(direction: Direction, filter: EntryFilter, limit: number): RawBuilder<unknown> {
  const account = sql.ref(`p.${direction}_account`);
  // Both tables store the time and the id. Each table has the index for one kind of query.
  const [time, id] =
    filter.accountIds === undefined || filter.paymentId !== undefined
      ? [sql`t.created_at`, sql`t.id`]
      : [sql`p.created_at`, sql`p.transaction_id`];
  const conditions = [sql`true`, ...conditionsOf(direction, filter, { time, id })];
  if (filter.accountIds !== undefined) conditions.push(sql`${account} = account.id`);
  return sql`
    select p.transaction_id, p.number, ${sql.lit(direction)} as direction, ${account} as account_id, p.amount_minor,
           p.currency, p.kind, t.payment_id, t.created_at
    from postings as p join transactions as t on t.id = p.transaction_id
    where ${sql.join(conditions, sql` and `)}
    order by ${time} desc, ${id} desc, p.number desc limit ${limit}`;
}

function conditionsOf(
  direction: Direction,
  { paymentId, layer, currency, createdAfter, createdBefore, before }: EntryFilter,
  { time, id }: { time: RawBuilder<unknown>; id: RawBuilder<unknown> },
): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [];
  if (paymentId !== undefined) conditions.push(sql`t.payment_id = ${paymentId}`);
  if (layer === 'posted') conditions.push(sql`p.kind = 'transfer'`);
  if (layer === 'pending') conditions.push(sql`p.kind <> 'transfer'`);
  if (currency !== undefined) conditions.push(sql`p.currency = ${currency}`);
  if (createdAfter !== undefined) conditions.push(sql`${time} >= ${createdAfter}`);
  if (createdBefore !== undefined) conditions.push(sql`${time} < ${createdBefore}`);
  if (before !== undefined) {
    const { createdAt, transactionId, number } = before;
    // The first condition is the one that an index can use. The second is the exact one.
    conditions.push(sql`(${time}, ${id}) <= (${createdAt}, ${transactionId})`);
    conditions.push(sql`
      (${time}, ${id}, p.number, ${sql.lit(direction)}) <
      (${createdAt}, ${transactionId}, ${number}::int2, ${before.direction})`);
  }
  return conditions;
}

export interface StatementFilter {
  accountId: string;
  /** From the first moment of the period up to the first one after it. */
  from: Date;
  to: Date;
  /** Younger than this entry. */
  after: Omit<EntryPosition, 'direction'> | undefined;
  /** Only rows visible in this snapshot, as Postgres writes it (`pg_snapshot`). Undefined means all rows. */
  seenBy: string | undefined;
}

/** Entries of the posted layer in a period, oldest first. */
export async function listStatementEntries(
  db: Kysely<Database>,
  filter: StatementFilter,
  limit: number,
): Promise<Entry[]> {
  const { rows } = await sql<EntryRow>`
    select e.transaction_id, e.number, e.direction, e.account_id, e.amount_minor, e.currency, e.kind, e.payment_id, e.created_at
    from ((${oldestOf('debit', filter, limit)}) union all (${oldestOf('credit', filter, limit)})) as e
    order by e.created_at, e.transaction_id, e.number limit ${limit}`.execute(db);
  return rows.map(toEntry);
}

function oldestOf(
  direction: Direction,
  { accountId, from, to, after, seenBy }: StatementFilter,
  limit: number,
): RawBuilder<unknown> {
  const account = sql.ref(`p.${direction}_account`);
  const conditions = [
    sql`${account} = ${accountId} and p.kind = 'transfer' and p.created_at >= ${from} and p.created_at < ${to}`,
  ];
  if (after !== undefined) {
    const { createdAt, transactionId, number } = after;
    conditions.push(
      sql`(p.created_at, p.transaction_id, p.number) > (${createdAt}, ${transactionId}, ${number}::int2)`,
    );
  }
  if (seenBy !== undefined) {
    // A transaction id that this server has not assigned yet came with a dump of another server. Such a row was there before.
    conditions.push(sql`
      (pg_visible_in_snapshot(t.recorded_by, ${seenBy}::pg_snapshot)
        or t.recorded_by >= pg_snapshot_xmax(pg_current_snapshot()))`);
  }
  return sql`
    select p.transaction_id, p.number, ${sql.lit(direction)} as direction, ${account} as account_id, p.amount_minor,
           p.currency, p.kind, t.payment_id, p.created_at
    from postings as p join transactions as t on t.id = p.transaction_id
    where ${sql.join(conditions, sql` and `)}
    order by p.created_at, p.transaction_id, p.number limit ${limit}`;
}

/** Returns the time of an account's first entry; undefined if it has none. */
export async function findFirstEntryTime(db: Kysely<Database>, accountId: string): Promise<Date | undefined> {
  const first = (side: 'debit_account' | 'credit_account') => sql`
    select min(created_at) as created_at from postings where ${sql.ref(side)} = ${accountId}`;
  const { rows } = await sql<{ created_at: Date | null }>`
    select least(d.created_at, c.created_at) as created_at
    from (${first('debit_account')}) as d, (${first('credit_account')}) as c`.execute(db);
  return rows[0]?.created_at ?? undefined;
}

/** The snapshot of this database transaction, as Postgres writes it (`pg_snapshot`). */
export async function currentSnapshot(db: Kysely<Database>): Promise<string> {
  const { rows } = await sql<{ snapshot: string }>`select pg_current_snapshot()::text as snapshot`.execute(
    db,
  );
  const [row] = rows;
  if (!row) throw new Error('Postgres returned no snapshot.');
  return row.snapshot;
}

interface EntryRow {
  transaction_id: string;
  number: number;
  direction: Direction;
  account_id: string;
  amount_minor: bigint;
  currency: string;
  kind: PostingKind;
  payment_id: string;
  created_at: Date;
}

function toEntry(row: EntryRow): Entry {
  return {
    transactionId: row.transaction_id,
    number: row.number,
    direction: row.direction,
    accountId: row.account_id,
    amountMinor: row.amount_minor,
    currency: row.currency,
    layer: layerOf(row.kind),
    paymentId: row.payment_id,
    createdAt: row.created_at,
  };
}
