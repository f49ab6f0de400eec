/** The journal hour by hour of its events' time, UTC: what a balance of the past is summed from. */
import { balanceChanges } from './balances.ts';
import type { JournalTransaction } from './journal.ts';

export interface HourlyTotal {
  accountId: string;
  /** ISO 4217. */
  currency: string;
  /** The hour's first moment. */
  hour: Date;
  postedMinor: bigint;
  pendingMinor: bigint;
}

const HOUR_MS = 3_600_000;

/** The first moment of the hour that the moment is in. */
export function hourOf(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / HOUR_MS) * HOUR_MS);
}

/** How much the transactions change each account's total of each hour. */
export function hourlyChanges(transactions: readonly JournalTransaction[]): HourlyTotal[] {
  const byHour = Map.groupBy(transactions, ({ createdAt }) => hourOf(createdAt).getTime());
  return [...byHour].flatMap(([hour, ofTheHour]) =>
    balanceChanges(ofTheHour).map(({ accountId, currency, postedMinor, pendingMinor }) => ({
      accountId,
      currency,
      hour: new Date(hour),
      postedMinor,
      pendingMinor,
    })),
  );
}
