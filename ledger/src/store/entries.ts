/** Entries, read from the postings they are the sides of, newest first. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { type Direction, type Entry, type Layer, layerOf, type PostingKind } from '../domain/journal.ts';
import type { Database } from './database.ts';

/** Where a page ended. */
export interface EntryPosition {
  transactionId: string;
  number: number;
  direction: Direction;
}

export interface EntryFilter {
  /** Of one of these accounts; undefined: of any. */
  accountIds: readonly string[] | undefined;
  paymentId: string | undefined;
  layer: Layer | undefined;
  /** Older than this one. */
  before: EntryPosition | undefined;
}

/**
 * The newest entries that pass the filter. Each side, and each account, is asked for its newest by itself: an index gives them in
 * order and the scan stops at the limit, however many entries a busy account has.
 */
export async function listEntries(
  db: Kysely<Database>,
  filter: EntryFilter,
  limit: number,
): Promise<Entry[]> {
  const sides = sql`(${newestOf('debit', filter, limit)}) union all (${newestOf('credit', filter, limit)})`;
  const source =
    filter.accountIds === undefined
      ? sql`(${sides})`
      : sql`unnest(${filter.accountIds}::text[]) as account (id) cross join lateral (${sides})`;
  const { rows } = await sql<EntryRow>`
    select e.transaction_id, e.number, e.direction, e.account_id, e.amount_minor, e.currency, e.kind, e.payment_id, e.created_at
    from ${source} as e
    order by e.transaction_id desc, e.number desc, e.direction desc limit ${limit}`.execute(db);
  return rows.map(toEntry);
}

function newestOf(direction: Direction, filter: EntryFilter, limit: number): RawBuilder<unknown> {
  const account = sql.ref(`p.${direction}_account`);
  const conditions = [sql`true`, ...conditionsOf(direction, filter)];
  if (filter.accountIds !== undefined) conditions.push(sql`${account} = account.id`);
  return sql`
    select p.transaction_id, p.number, ${sql.lit(direction)} as direction, ${account} as account_id, p.amount_minor,
           p.currency, p.kind, t.payment_id, t.created_at
    from postings as p join transactions as t on t.id = p.transaction_id
    where ${sql.join(conditions, sql` and `)}
    order by p.transaction_id desc, p.number desc limit ${limit}`;
}

function conditionsOf(
  direction: Direction,
  { paymentId, layer, before }: EntryFilter,
): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = [];
  if (paymentId !== undefined) conditions.push(sql`t.payment_id = ${paymentId}`);
  if (layer === 'posted') conditions.push(sql`p.kind = 'transfer'`);
  if (layer === 'pending') conditions.push(sql`p.kind <> 'transfer'`);
  if (before !== undefined) {
    conditions.push(sql`
      (p.transaction_id, p.number, ${sql.lit(direction)}) <
      (${before.transactionId}, ${before.number}::int2, ${before.direction})`);
  }
  return conditions;
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
