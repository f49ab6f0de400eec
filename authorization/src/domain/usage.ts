/** Counts the use of an account's limits, by calendar day and month of its time zone. Pure: the time is a parameter. */
import { dayAt, firstOfMonth } from './calendar.ts';
import { MAX_MINOR } from './money.ts';

/** The current windows of the limits: a day, and the first day of a month, YYYY-MM-DD. */
export interface Windows {
  readonly day: string;
  readonly month: string;
}

/** The use in these windows. */
export interface Usage extends Windows {
  readonly spentToday: bigint;
  readonly countToday: number;
  readonly spentThisMonth: bigint;
}

export const NEVER_USED: Usage = {
  day: '1970-01-01',
  spentToday: 0n,
  countToday: 0,
  month: '1970-01-01',
  spentThisMonth: 0n,
};

/** Returns the windows of a moment in a time zone. */
export function windowsAt(now: Date, timeZone: string): Windows {
  const day = dayAt(now, timeZone);
  return { day, month: firstOfMonth(day) };
}

/**
 * Returns the use in the current windows; a window that is over counts as 0. A window ahead of `now` is kept. At midnight the
 * clock of one instance may be behind, and it must not reopen yesterday. The same applies to an account whose time zone was moved
 * westward. So a window never reopens, and each day has one count.
 */
export function usageIn(windows: Windows, usage: Usage): Usage {
  if (usage.day >= windows.day && usage.month >= windows.month) return usage;
  const dayIsOver = usage.day < windows.day;
  const monthIsOver = usage.month < windows.month;
  return {
    day: dayIsOver ? windows.day : usage.day,
    spentToday: dayIsOver ? 0n : usage.spentToday,
    countToday: dayIsOver ? 0 : usage.countToday,
    month: monthIsOver ? windows.month : usage.month,
    spentThisMonth: monthIsOver ? 0n : usage.spentThisMonth,
  };
}

/** Returns the use after one more payment. The sums count in full, so that a release gives back what was counted. */
export function plusPayment(usage: Usage, amount: bigint): Usage {
  return {
    ...usage,
    spentToday: stored(usage.spentToday + amount),
    countToday: usage.countToday + 1,
    spentThisMonth: stored(usage.spentThisMonth + amount),
  };
}

/**
 * Returns the use after all or part of a payment was released. A payment released in full no longer counts as a payment. Windows
 * that are over do not change.
 */
export function minusReleased(
  usage: Usage,
  { usedIn, released, whole }: { usedIn: Windows; released: bigint; whole: boolean },
): Usage {
  const sameDay = usage.day === usedIn.day;
  const sameMonth = usage.month === usedIn.month;
  return {
    ...usage,
    spentToday: sameDay ? atLeastNothing(usage.spentToday - released) : usage.spentToday,
    countToday: sameDay && whole ? Math.max(0, usage.countToday - 1) : usage.countToday,
    spentThisMonth: sameMonth ? atLeastNothing(usage.spentThisMonth - released) : usage.spentThisMonth,
  };
}

/** Returns a sum as callers and rules see it: at most the cap, which no limit exceeds. */
export function shown(sum: bigint): bigint {
  return sum > MAX_MINOR ? MAX_MINOR : sum;
}

/** The largest number of the column. An account would have to pay all money of its currency a thousand times in one month. */
const MAX_STORED = 2n ** 63n - 1n;

function stored(sum: bigint): bigint {
  return sum > MAX_STORED ? MAX_STORED : sum;
}

/** Only negative for sums of earlier versions, which stopped at the cap. */
function atLeastNothing(rest: bigint): bigint {
  return rest < 0n ? 0n : rest;
}
