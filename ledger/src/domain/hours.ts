/** Groups the journal by the hour of its events, UTC. Balances of past moments are summed from these totals. */
import { balanceChanges } from './balances.ts';
import type { JournalTransaction } from './journal.ts';

export interface HourlyTotal {
  accountId: string;
  /** ISO 4217. */
  currency: string;
  /** The first moment of the hour. */
  hour: Date;
  postedMinor: bigint;
  pendingMinor: bigint;
}

const HOUR_MS = 3_600_000;

/** Returns the first moment of the hour that contains the given moment. */
export function hourOf(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / HOUR_MS) * HOUR_MS);
}

/** The change of each account's total in each hour. */
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
