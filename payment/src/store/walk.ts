/**
 * Reads pages of a table in the order of creation, or of the last change. A page enters by one index, or by two whose results are merged. It visits a limited
 * number of rows, however many rows match none of the filters.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';

/** A row in the order of lists. */
export interface Position {
  /** The time that the list is sorted by. */
  at: Date;
  id: string;
}

/** The time that a list is sorted by. */
export type SortTime = 'created_at' | 'updated_at';

export type Condition = RawBuilder<boolean>;

/** The first columns of an index, with the one value of each. */
export type Entry = readonly { column: string; value: string }[];

/** A walk through one index, over the rows with certain values in its first columns. The index continues with the time of the list and the id. */
export interface Walk {
  /** Empty for the index on the time alone. */
  first: Entry;
  /** The condition of a partial index. */
  where?: Condition;
  /** Excludes rows that another walk of this list finds. */
  except?: Condition;
  /** Another table, whose rows have the id and the times of rows of the list: its index is walked, and they are looked up. */
  through?: 'payment_notes';
}

export interface Listing {
  table: 'payments' | 'operations';
  columns: readonly string[];
  /** Together they find every row of the list. */
  walks: readonly Walk[];
  /** The filters, but the times. Some of them may follow from the walks. */
  conditions: readonly Condition[];
  /** The default is created_at. */
  sortedBy?: SortTime;
  /** Only rows of this time or later, by the time that the list is sorted by. */
  from?: Date | undefined;
  /** Only rows before this time. */
  before?: Date | undefined;
  /** True for the oldest first. */
  ascending?: boolean;
}

export interface Limits {
  /** Rows of the page. */
  limit: number;
  /** Rows that each walk may visit. */
  visits?: number;
}

const MAX_VISITS = 10_000;

export type Row = { id: string } & Partial<Record<SortTime, Date>>;

export interface WalkedPage<R> {
  rows: R[];
  /** The last row visited. Undefined if there is no other page. */
  next: Position | undefined;
}

/**
 * Returns the next rows after `position`, at most `limit`. There may be fewer, or none, although there are other pages: then the
 * visits were used up. All walks are one statement, so a row that moves from one walk to another meanwhile is found once.
 */
export async function readWalks<R extends Row>(
  db: Kysely<Database>,
  listing: Listing,
  position: Position | undefined,
  { limit, visits = MAX_VISITS }: Limits,
): Promise<WalkedPage<R>> {
  const { ascending, sortedBy = 'created_at' } = listing;
  const positionOf = (row: Row) => ({ at: row[sortedBy] as Date, id: row.id });
  const byPosition = (a: Row, b: Row) => byNewest(positionOf(a), positionOf(b));
  const compare = ascending ? (a: Row, b: Row) => byPosition(b, a) : byPosition;
  // Each walk reads one row more than the page size. If it exists, there is another page.
  const walks = listing.walks.map((walk) => follow(listing, walk, position, { limit: limit + 1, visits }));
  const { rows: walked } = await sql<WalkedRow<R>>`${sql.join(walks, sql` union all `)}`.execute(db);
  // Rows beyond the nearest end may not be known yet, in the walk that ended there. The next page has them.
  const [end] = walked.filter(({ is_end }) => is_end).sort(compare);
  const found = walked
    .filter((row) => !row.is_end && (end === undefined || compare(row, end) <= 0))
    .sort(compare);
  const rows = found.slice(0, limit);
  const last = found.length > limit ? rows.at(-1) : end;
  return { rows, next: last && positionOf(last) };
}

type WalkedRow<R> = R & { is_end: boolean };

/** Reads the matching rows of a walk. If the visits are used up before the limit, it also reads the last row visited. */
function follow(
  listing: Listing,
  walk: Walk,
  position: Position | undefined,
  { limit, visits }: Required<Limits>,
): RawBuilder<unknown> {
  const columns = sql.join(listing.columns.map((column) => sql.ref(column)));
  const table = sql.table(listing.table);
  const range = all(rangeOf(walk, listing, position));
  const { through } = walk;
  // The first columns have one value each, so the rows that were looked up have the same order without them.
  const order = orderOf(through ? { first: [] } : walk, listing);
  const visited = (bounds: RawBuilder<unknown>) =>
    through
      ? sql`
    select ${columns} from ${table} join (
      select id as walked_id from ${sql.table(through)} where ${range} order by ${orderOf(walk, listing)} ${bounds}
    ) as walked on id = walked_id order by ${order}`
      : sql`
    select ${columns} from ${table} where ${range} order by ${order} ${bounds}`;
  // The planner cannot know the result of a subquery. It then plans for the first tenth of the rows, which an index gives in order, and
  // not for all rows and a sort.
  return sql`(
    with page as materialized (
      select ${columns} from (${visited(sql`limit (select ${sql.lit(visits)})`)}) as visited
      where ${all([...(walk.except ? [walk.except] : []), ...listing.conditions])}
      order by ${order} limit ${limit}
    )
    select ${columns}, false as is_end from page
    union all
    select ${columns}, true from (${visited(sql`limit 1 offset (select ${sql.lit(visits - 1)})`)}) as ending
    where (select count(*) from page) < ${limit})`;
}

type Order = Pick<Listing, 'ascending' | 'sortedBy'>;

export function orderOf(
  { first }: Walk,
  { ascending = false, sortedBy = 'created_at' }: Order = {},
): RawBuilder<unknown> {
  const direction = sql.raw(ascending ? 'asc' : 'desc');
  const columns = [...first.map(({ column }) => column), sortedBy, 'id'];
  return sql.join(columns.map((column) => sql`${sql.ref(column)} ${direction}`));
}

/**
 * Returns the range of the index. The first columns have a lower and an upper bound and are part of the order, instead of being equal
 * to their values. So no other index has this order. Otherwise the planner may choose the index on the time, and search it for a rare
 * owner.
 */
export function rangeOf(
  { first, where }: Walk,
  { from, before, ascending = false, sortedBy = 'created_at' }: Pick<Listing, 'from' | 'before'> & Order = {},
  position?: Position,
): Condition[] {
  const start = (rest: readonly string[] = []) =>
    row([...first.map(({ column }) => column), ...rest].map((column) => sql.ref(column)));
  const at = (rest: readonly unknown[] = []) =>
    row([...first.map(({ value }) => sql`${value}`), ...rest.map((value) => sql`${value}`)]);
  const range: Condition[] = where ? [where] : [];
  if (first.length > 0) range.push(sql`${start()} >= ${at()} and ${start()} <= ${at()}`);
  if (from !== undefined) range.push(sql`${start([sortedBy])} >= ${at([from])}`);
  if (before !== undefined) range.push(sql`${start([sortedBy])} < ${at([before])}`);
  if (position !== undefined) {
    const beyond = sql.raw(ascending ? '>' : '<');
    range.push(sql`${start([sortedBy, 'id'])} ${beyond} ${at([position.at, position.id])}`);
  }
  return range;
}

const row = (parts: readonly RawBuilder<unknown>[]) => sql`(${sql.join(parts)})`;

export function all(conditions: readonly Condition[]): Condition {
  return conditions.length === 0 ? sql`true` : sql`${sql.join(conditions, sql` and `)}`;
}

/** The order of lists: the index order of time and id, both descending. */
export function byNewest(a: Position, b: Position): number {
  const byTime = b.at.getTime() - a.at.getTime();
  if (byTime !== 0) return byTime;
  if (a.id === b.id) return 0;
  return a.id < b.id ? 1 : -1;
}
