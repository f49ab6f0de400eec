/** Reads and writes the table `daily_totals`. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { Counts, DailyTotals } from '../domain/totals.ts';
import type { CountColumns, DailyTotalsRow, Database } from './database.ts';

/** Adds the changes to the stored totals. Rows are locked in the given order, so pass them sorted by day and currency. */
export async function addToDays(trx: Transaction<Database>, days: readonly DailyTotals[]): Promise<void> {
  const rows: DailyTotalsRow[] = days.map((day) => ({
    day: day.day,
    currency: day.currency,
    initiated_count: day.initiatedCount,
    completed_count: day.completedCount,
    failed_count: day.failedCount,
    cancelled_count: day.cancelledCount,
    expired_count: day.expiredCount,
    refund_count: day.refundCount,
    captured_minor: day.capturedMinor.toString(),
    refunded_minor: day.refundedMinor.toString(),
    latest_event_at: day.latestEventAt,
  }));
  await sql`
    insert into daily_totals as d (day, currency, initiated_count, completed_count, failed_count, cancelled_count,
      expired_count, refund_count, captured_minor, refunded_minor, latest_event_at)
    select r.day, r.currency, r.initiated_count, r.completed_count, r.failed_count, r.cancelled_count,
      r.expired_count, r.refund_count, r.captured_minor::numeric, r.refunded_minor::numeric, r.latest_event_at
    from ${unnest(rows, TYPES)} as r order by r.ordinality
    on conflict (day, currency) do update set
      initiated_count = d.initiated_count + excluded.initiated_count,
      completed_count = d.completed_count + excluded.completed_count,
      failed_count = d.failed_count + excluded.failed_count,
      cancelled_count = d.cancelled_count + excluded.cancelled_count,
      expired_count = d.expired_count + excluded.expired_count,
      refund_count = d.refund_count + excluded.refund_count,
      captured_minor = d.captured_minor + excluded.captured_minor,
      refunded_minor = d.refunded_minor + excluded.refunded_minor,
      latest_event_at = greatest(d.latest_event_at, excluded.latest_event_at)`.execute(trx);
}

const TYPES = {
  day: 'date',
  currency: 'text',
  initiated_count: 'int8',
  completed_count: 'int8',
  failed_count: 'int8',
  cancelled_count: 'int8',
  expired_count: 'int8',
  refund_count: 'int8',
  captured_minor: 'text',
  refunded_minor: 'text',
  latest_event_at: 'timestamptz',
} as const;

export interface DayRange {
  /** YYYY-MM-DD, inclusive. */
  from: string;
  /** YYYY-MM-DD, inclusive. */
  to: string;
  /** Empty means all currencies. */
  currency: string;
}

/** Sorted by day and currency. */
export async function listDays(
  db: Kysely<Database>,
  { from, to, currency }: DayRange,
): Promise<DailyTotals[]> {
  let query = db
    .selectFrom('daily_totals')
    .select([...COLUMNS, 'day', 'currency', 'latest_event_at'])
    .where('day', '>=', from)
    .where('day', '<=', to)
    .orderBy('day')
    .orderBy('currency');
  if (currency !== '') query = query.where('currency', '=', currency);
  return (await query.execute()).map(toDay);
}

const COLUMNS = [
  'initiated_count',
  'completed_count',
  'failed_count',
  'cancelled_count',
  'expired_count',
  'refund_count',
  'captured_minor',
  'refunded_minor',
] as const satisfies (keyof CountColumns)[];

export interface CurrencyTotals extends Counts {
  currency: string;
  latestEventAt: Date;
}

/** The sums of all days, by currency. An empty currency means all. */
export async function sumDays(db: Kysely<Database>, currency: string): Promise<CurrencyTotals[]> {
  const sums = COLUMNS.map((column) => {
    const type = column.endsWith('_count') ? sql`bigint` : sql`numeric`;
    return sql`sum(${sql.ref(column)})::${type} as ${sql.ref(column)}`;
  });
  const { rows } = await sql<CountColumns & { currency: string; latest_event_at: Date }>`
    select currency, ${sql.join(sums)}, max(latest_event_at) as latest_event_at
    from daily_totals where ${currency} in ('', currency)
    group by currency order by currency`.execute(db);
  return rows.map((row) => ({
    ...toCounts(row),
    currency: row.currency,
    latestEventAt: row.latest_event_at,
  }));
}

function toDay(row: DailyTotalsRow): DailyTotals {
  return { ...toCounts(row), day: row.day, currency: row.currency, latestEventAt: row.latest_event_at };
}

function toCounts(row: CountColumns): Counts {
  return {
    initiatedCount: row.initiated_count,
    completedCount: row.completed_count,
    failedCount: row.failed_count,
    cancelledCount: row.cancelled_count,
    expiredCount: row.expired_count,
    refundCount: row.refund_count,
    capturedMinor: BigInt(row.captured_minor),
    refundedMinor: BigInt(row.refunded_minor),
  };
}
