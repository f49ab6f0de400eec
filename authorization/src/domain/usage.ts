/** How much of its limits an account has used, in calendar days and months of its time zone. Pure: time is given. */
import { dayAt, firstOfMonth } from './calendar.ts';
import { MAX_MINOR } from './money.ts';

/** The windows that limits count in: a day, and the first day of a month, YYYY-MM-DD. */
export interface Windows {
  readonly day: string;
  readonly month: string;
}

/** What was used in these windows. */
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

/** The windows that a moment lies in there. */
export function windowsAt(now: Date, timeZone: string): Windows {
  const day = dayAt(now, timeZone);
  return { day, month: firstOfMonth(day) };
}

/**
 * The use within the current windows: what is over counts no more.
 * A window ahead of `now` is kept: of two instances, one's clock may be behind at midnight, and it must not open
 * yesterday anew. Nor must an account whose time zone was moved westward. So a window never comes back, and its day
 * names one count for good.
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

/** The use after one more payment. Sums stop at the cap: no limit lies beyond it. */
export function plusPayment(usage: Usage, amount: bigint): Usage {
  return {
    ...usage,
    spentToday: atMostCap(usage.spentToday + amount),
    countToday: usage.countToday + 1,
    spentThisMonth: atMostCap(usage.spentThisMonth + amount),
  };
}

/**
 * The use after part of a payment was given back, or all of it, which then counts as a payment no more.
 * Only what is still counted is taken off: a window that is over stays as it was.
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

function atMostCap(sum: bigint): bigint {
  return sum > MAX_MINOR ? MAX_MINOR : sum;
}

/** Below zero only after a sum had stopped at the cap. */
function atLeastNothing(rest: bigint): bigint {
  return rest < 0n ? 0n : rest;
}
