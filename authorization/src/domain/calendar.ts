/**
 * Calendar days in a time zone of the IANA database, from what Node carries (ICU). Pure: time is given.
 * https://www.iana.org/time-zones, https://tc39.es/ecma402/#datetimeformat-objects
 */

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making one costs a hundred times what using it does. Throws RangeError for an unknown zone. */
function formatterOf(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      calendar: 'gregory',
      numberingSystem: 'latn',
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    formatters.set(timeZone, formatter);
  }
  return formatter;
}

/** Whether this names a zone. An offset such as +01:00 does not: it knows no summer time, so nobody lives by it. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    formatterOf(name);
    return true;
  } catch {
    return false;
  }
}

/** The day on the calendar there, YYYY-MM-DD. */
export function dayAt(time: Date, timeZone: string): string {
  if (timeZone === 'UTC') return time.toISOString().slice(0, 10);
  // By its parts: how a locale orders and separates them has changed with ICU before.
  const parts = formatterOf(timeZone).formatToParts(time);
  const part = (type: 'year' | 'month' | 'day') => parts.find((each) => each.type === type)?.value;
  return `${part('year')}-${part('month')}-${part('day')}`;
}

/** The first day of the month that this day lies in. */
export function firstOfMonth(day: string): string {
  return `${day.slice(0, 7)}-01`;
}

/** The moment at which this day ends there. */
export function endOfDay(day: string, timeZone: string): Date {
  const next = new Date(`${day}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return startOfDay(next.toISOString().slice(0, 10), timeZone);
}

/** The moment at which the month that begins on this day ends there. */
export function endOfMonth(firstDay: string, timeZone: string): Date {
  const next = new Date(`${firstDay}T00:00:00Z`);
  next.setUTCMonth(next.getUTCMonth() + 1);
  return startOfDay(next.toISOString().slice(0, 10), timeZone);
}

/** No zone is further from UTC than this; seconds. */
const MOST_OFFSET_S = 26 * 3600;

/**
 * The first second of that day there. That is not always 00:00, where the clocks go forward at midnight, nor always 24
 * hours after the last, so it is searched for: days only grow with time.
 */
function startOfDay(day: string, timeZone: string): Date {
  const midnightUtc = Date.parse(`${day}T00:00:00Z`);
  if (timeZone === 'UTC') return new Date(midnightUtc);
  let before = -MOST_OFFSET_S;
  let after = MOST_OFFSET_S;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (dayAt(new Date(midnightUtc + middle * 1000), timeZone) < day) before = middle;
    else after = middle;
  }
  return new Date(midnightUtc + after * 1000);
}
