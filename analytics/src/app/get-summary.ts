/** Reads the totals of all time, by currency. */
import type { Kysely } from 'kysely';
import { type CurrencyTotals, sumDays } from '../store/daily-totals.ts';
import type { Database } from '../store/database.ts';

export interface Summary {
  totals: CurrencyTotals[];
  /** The time of the newest event in the totals. Undefined if there is none. */
  asOf: Date | undefined;
}

/** An empty currency means all currencies. */
export async function getSummary({ db }: { db: Kysely<Database> }, currency: string): Promise<Summary> {
  const totals = await sumDays(db, currency);
  const newest = Math.max(...totals.map(({ latestEventAt }) => latestEventAt.getTime()));
  return { totals, asOf: totals.length > 0 ? new Date(newest) : undefined };
}
