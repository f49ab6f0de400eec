/** Lists the totals of each day and currency in a range. */
import type { Kysely } from 'kysely';
import { dayOf, daysBefore, daysBetween, isDay } from '../domain/day.ts';
import { AnalyticsError } from '../domain/errors.ts';
import type { DailyTotals } from '../domain/totals.ts';
import { type DayRange, listDays } from '../store/daily-totals.ts';
import type { Database } from '../store/database.ts';

const STANDARD_DAYS = 30;
const MAX_DAYS = 366;

/** Default of an empty `from`: thirty days before `to`. Default of an empty `to`: today. Throws INVALID_ARGUMENT. */
export async function listDailyTotals(
  { db, now }: { db: Kysely<Database>; now: () => Date },
  requested: DayRange,
): Promise<DailyTotals[]> {
  const to = requested.to === '' ? dayOf(now()) : requireDay('to', requested.to);
  const from = requested.from === '' ? daysBefore(to, STANDARD_DAYS) : requireDay('from', requested.from);
  const days = daysBetween(from, to);
  if (days < 0) throw invalid('from', 'must not be after to');
  if (days > MAX_DAYS) throw invalid('to', `must be at most ${MAX_DAYS} days after from`);
  return listDays(db, { from, to, currency: requested.currency });
}

function requireDay(field: string, text: string): string {
  if (!isDay(text)) throw invalid(field, 'must be a day as YYYY-MM-DD');
  return text;
}

function invalid(field: string, description: string): AnalyticsError {
  return new AnalyticsError('INVALID_ARGUMENT', `${field} ${description}.`, {
    violations: [{ field, description }],
  });
}
