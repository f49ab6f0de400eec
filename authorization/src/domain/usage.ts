/** How much of its limits an account has used, in calendar days and months, UTC. Pure: time is given. */
import { MAX_MINOR } from './money.ts';

export interface Usage {
  /** The day that the day's figures belong to, YYYY-MM-DD. */
  readonly day: string;
  readonly spentToday: bigint;
  readonly countToday: number;
  /** The first day of the month that the month's figure belongs to, YYYY-MM-DD. */
  readonly month: string;
  readonly spentThisMonth: bigint;
}

export const NEVER_USED: Usage = {
  day: '1970-01-01',
  spentToday: 0n,
  countToday: 0,
  month: '1970-01-01',
  spentThisMonth: 0n,
};

/** The windows that a moment lies in. */
export interface Windows {
  readonly day: string;
  readonly month: string;
}

export function windowsAt(now: Date): Windows {
  const day = now.toISOString().slice(0, 10);
  return { day, month: `${day.slice(0, 7)}-01` };
}

/**
 * The use within the current windows: what is over counts no more.
 * A window ahead of `now` is kept: of two instances, one's clock may be behind at midnight, and it must not open
 * yesterday anew.
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

/** Midnight at the end of that day, UTC. */
export function endOfDay(day: string): Date {
  const end = new Date(`${day}T00:00:00Z`);
  end.setUTCDate(end.getUTCDate() + 1);
  return end;
}

/** Midnight at the end of the month that begins on that day, UTC. */
export function endOfMonth(firstDay: string): Date {
  const end = new Date(`${firstDay}T00:00:00Z`);
  end.setUTCMonth(end.getUTCMonth() + 1);
  return end;
}

function atMostCap(sum: bigint): bigint {
  return sum > MAX_MINOR ? MAX_MINOR : sum;
}
