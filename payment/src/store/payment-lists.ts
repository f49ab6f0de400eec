/**
 * Reads pages of payments, newest first. A page enters by one index and visits a limited number of payments, whatever the filters and
 * however many payments match none of them.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Payment, PaymentState } from '../domain/payment.ts';
import type { PaymentFilter } from '../domain/payment-filter.ts';
import type { Database } from './database.ts';
import { PAYMENT_COLUMNS, type PaymentRow, toPayment } from './payments.ts';

/** The owner of the payments, and the filters of the request. */
export type ListFilter = PaymentFilter & {
  /** The user who sent or received the payments. */
  ownerId?: string | undefined;
};

/** A payment in the order of lists. */
export interface Position {
  createdAt: Date;
  id: string;
}

export interface Found {
  payments: Payment[];
  /** The last payment visited. Undefined if there is no other page. */
  next: Position | undefined;
}

interface Limits {
  /** Payments of the page. */
  limit: number;
  /** Payments that each walk may visit. */
  visits?: number;
}

const MAX_VISITS = 10_000;

type Condition = RawBuilder<boolean>;
type Column = 'from_account' | 'to_account' | 'from_owner_id' | 'to_owner_id' | 'reference' | 'state';

/** A walk through one index, over the payments with one value in its first column. The index continues with created_at and id. */
interface Walk {
  /** Undefined for the index on the time alone. */
  first?: { column: Column; value: string };
  /** The condition of a partial index. */
  where?: Condition;
  /** Excludes payments that another walk of this list finds. */
  except?: Condition;
}

/**
 * Returns the next payments after `position`, at most `limit`. There may be fewer, or none, although there are other pages: then the
 * visits were used up.
 */
export async function listPayments(
  db: Kysely<Database>,
  filter: ListFilter,
  position: Position | undefined,
  { limit, visits = MAX_VISITS }: Limits,
): Promise<Found> {
  const walks = await walksOf(db, filter);
  // Each walk reads one row more than the page size. If it exists, there is another page.
  const walked = await Promise.all(
    walks.map((walk) => follow(db, walk, filter, position, { limit: limit + 1, visits })),
  );
  // Older payments than the newest end may not be known yet, in the walk that ended there. The next page has them.
  const [end] = walked.flatMap((rows) => rows.filter(({ is_end }) => is_end)).sort(compareRows);
  const found = walked
    .flatMap((rows) => rows.filter((row) => !row.is_end && (end === undefined || compareRows(row, end) <= 0)))
    .sort(compareRows);
  const page = found.slice(0, limit);
  const last = found.length > limit ? page.at(-1) : end;
  return {
    payments: page.map(toPayment),
    next: last && positionOf(last),
  };
}

type WalkedRow = PaymentRow & { is_end: boolean };

/** Returns the matching payments of a walk. If the visits are used up before the limit, it also returns the last payment visited. */
async function follow(
  db: Kysely<Database>,
  walk: Walk,
  filter: ListFilter,
  position: Position | undefined,
  { limit, visits }: Required<Limits>,
): Promise<WalkedRow[]> {
  const columns = sql.join(PAYMENT_COLUMNS.map((column) => sql.ref(column)));
  const order = orderOf(walk);
  const visited = (bounds: RawBuilder<unknown>) => sql`
    select ${columns} from payments where ${all(rangeOf(walk, filter, position))} order by ${order} ${bounds}`;
  // The planner cannot know the result of a subquery. It then plans for the first tenth of the rows, which an index gives in order, and
  // not for all rows and a sort.
  const { rows } = await sql<WalkedRow>`
    with page as materialized (
      select ${columns} from (${visited(sql`limit (select ${sql.lit(visits)})`)}) as visited
      where ${all([...(walk.except ? [walk.except] : []), ...conditionsOf(filter)])}
      order by ${order} limit ${limit}
    )
    select ${columns}, false as is_end from page
    union all
    select ${columns}, true from (${visited(sql`limit 1 offset (select ${sql.lit(visits - 1)})`)}) as ending
    where (select count(*) from page) < ${limit}`.execute(db);
  return rows;
}

function orderOf({ first }: Walk): RawBuilder<unknown> {
  const columns = first ? [first.column, 'created_at', 'id'] : ['created_at', 'id'];
  return sql.join(columns.map((column) => sql`${sql.ref(column)} desc`));
}

/**
 * Returns the range of the index. The first column has a lower and an upper bound and is part of the order, instead of being equal to its
 * value. So no other index has this order. Otherwise the planner may choose the index on the time, and search it for a rare owner.
 */
function rangeOf({ first, where }: Walk, filter: ListFilter, position: Position | undefined): Condition[] {
  const { createdAfter, createdBefore } = filter;
  const column = first && sql.ref(first.column);
  const start = (rest: RawBuilder<unknown>) => (column ? sql`(${column}, ${rest})` : sql`(${rest})`);
  const at = (rest: RawBuilder<unknown>) => (first ? sql`(${first.value}, ${rest})` : sql`(${rest})`);
  const time = sql`created_at`;
  const range: Condition[] = where ? [where] : [];
  if (first) range.push(sql`${column} >= ${first.value} and ${column} <= ${first.value}`);
  if (createdAfter !== undefined) range.push(sql`${start(time)} >= ${at(sql`${createdAfter}`)}`);
  if (createdBefore !== undefined) range.push(sql`${start(time)} < ${at(sql`${createdBefore}`)}`);
  if (position !== undefined) {
    const { createdAt, id } = position;
    range.push(sql`${start(sql`created_at, id`)} < ${at(sql`${createdAt}, ${id}`)}`);
  }
  return range;
}

/** Returns the walks that together find every payment of the filter. */
async function walksOf(db: Kysely<Database>, filter: ListFilter): Promise<Walk[]> {
  const { accountId, ownerId, state, reference } = filter;
  if (reference !== undefined) {
    return [{ first: { column: 'reference', value: reference }, where: sql`reference <> ''` }];
  }
  if (
    accountId !== undefined &&
    (ownerId === undefined || (await isWalkedByAccount(db, accountId, ownerId)))
  ) {
    // A payment never goes from an account to itself, so no payment is in both walks.
    return [
      { first: { column: 'from_account', value: accountId } },
      { first: { column: 'to_account', value: accountId } },
    ];
  }
  if (ownerId !== undefined) {
    return [
      { first: { column: 'from_owner_id', value: ownerId } },
      {
        first: { column: 'to_owner_id', value: ownerId },
        except: sql`from_owner_id is distinct from ${ownerId}`,
      },
    ];
  }
  if (state !== undefined && hasIndex(state)) {
    return [
      { first: { column: 'state', value: state }, where: sql`state not in ('INITIATED', 'COMPLETED')` },
    ];
  }
  return [{}];
}

/** The index leaves out the states that every plain payment goes through, so that it costs these payments nothing. */
const hasIndex = (state: PaymentState) => state !== 'INITIATED' && state !== 'COMPLETED';

/** The newest payments of an account, on each side, that decide how a customer's list of it is walked. */
const COMPARED = 10;

/**
 * Returns true if a customer's list of this account walks the account, and false if it walks the customer's own payments. Both find the
 * same, but the account of another user may have far more payments than the customer, or the other way round. So an account is walked
 * if the customer owns it, or if it has hardly any payments.
 */
async function isWalkedByAccount(db: Kysely<Database>, accountId: string, ownerId: string): Promise<boolean> {
  const newest = (account: Column, owner: Column) => {
    const walk = { first: { column: account, value: accountId } };
    return sql`
      select count(*) as payments, coalesce(bool_or(owner = ${ownerId}), false) as is_own from (
        select ${sql.ref(owner)} as owner from payments where ${all(rangeOf(walk, {}, undefined))}
        order by ${orderOf(walk)} limit ${sql.lit(COMPARED)}) as newest`;
  };
  const { rows } = await sql<{ walked: boolean }>`
    select bool_or(is_own) or max(payments) < ${sql.lit(COMPARED)} as walked
    from (${newest('from_account', 'from_owner_id')} union all ${newest('to_account', 'to_owner_id')}) as sides`.execute(
    db,
  );
  return rows[0]?.walked === true;
}

/** All conditions of the filter but the times. Some of them follow from the range of a walk. */
function conditionsOf(filter: ListFilter): Condition[] {
  const { accountId, ownerId, state, currency, reference, amountMinMinor, amountMaxMinor } = filter;
  const conditions: Condition[] = [];
  if (accountId !== undefined) conditions.push(sql`${accountId} in (from_account, to_account)`);
  // The receiver does not see the payer's reference, so it must not find the payment by it either.
  if (ownerId !== undefined && reference !== undefined) conditions.push(sql`from_owner_id = ${ownerId}`);
  if (ownerId !== undefined) conditions.push(sql`(from_owner_id = ${ownerId} or to_owner_id = ${ownerId})`);
  if (state !== undefined) conditions.push(sql`state = ${state}`);
  if (currency !== undefined) conditions.push(sql`currency = ${currency}`);
  if (amountMinMinor !== undefined) conditions.push(sql`amount_minor >= ${amountMinMinor}`);
  if (amountMaxMinor !== undefined) conditions.push(sql`amount_minor <= ${amountMaxMinor}`);
  return conditions;
}

function all(conditions: readonly Condition[]): Condition {
  return conditions.length === 0 ? sql`true` : sql`${sql.join(conditions, sql` and `)}`;
}

/** The order of lists: the index order of created_at and id, both descending. */
export function byNewest(a: Position, b: Position): number {
  const byTime = b.createdAt.getTime() - a.createdAt.getTime();
  if (byTime !== 0) return byTime;
  if (a.id === b.id) return 0;
  return a.id < b.id ? 1 : -1;
}

function compareRows(a: PaymentRow, b: PaymentRow): number {
  return byNewest(positionOf(a), positionOf(b));
}

function positionOf({ created_at: createdAt, id }: PaymentRow): Position {
  return { createdAt, id };
}
