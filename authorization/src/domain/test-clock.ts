/** The test clock of one account: how far the windows of its limits move back. Pure. */
import { dayAt } from './calendar.ts';

/** Seconds of one request, 365 days. */
export const MAX_ADVANCE_S = 31_536_000;
/** Seconds of all requests for one account, 3,650 days. */
export const MAX_ADVANCED_S = 315_360_000;

/** The windows that begin, and by which those in use move back. */
export interface BegunWindows {
  readonly days: number;
  readonly months: number;
}

const DAY_MS = 86_400_000;

/**
 * Returns the days and months that begin while the account's clock goes from `beforeS` to `afterS` seconds ahead of `now`. So two steps
 * of twelve hours begin as many days as one step of a day.
 */
export function begunWindows(now: Date, timeZone: string, beforeS: number, afterS: number): BegunWindows {
  const before = dayAt(new Date(now.getTime() + beforeS * 1_000), timeZone);
  const after = dayAt(new Date(now.getTime() + afterS * 1_000), timeZone);
  return {
    days: Math.round((Date.parse(after) - Date.parse(before)) / DAY_MS),
    months: monthsOf(after) - monthsOf(before),
  };
}

/** `day` is YYYY-MM-DD. */
function monthsOf(day: string): number {
  return Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7));
}
