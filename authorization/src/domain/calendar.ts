/**
 * Calendar days in an IANA time zone, from the data in Node (ICU). Pure: the time is a parameter.
 * https://www.iana.org/time-zones, https://tc39.es/ecma402/#datetimeformat-objects
 */

/** By name in lower case, because ICU ignores the case: each of the few hundred zones has one formatter. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/** Creating a formatter costs a hundred times as much as using it. Throws RangeError for an unknown zone. */
function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const key = timeZone.toLowerCase();
  let formatter = formatters.get(key);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      calendar: 'gregory',
      numberingSystem: 'latn',
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    formatters.set(key, formatter);
  }
  return formatter;
}

/** True if this names a time zone. An offset such as +01:00 is refused: it has no summer time, so no place uses it all year. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    formatterOf(name);
    return true;
  } catch {
    return false;
  }
}

/** Returns the calendar day in the zone, YYYY-MM-DD. */
export function dayAt(time: Date, timeZone: string): string {
  if (timeZone === 'UTC') return time.toISOString().slice(0, 10);
  // Reads the parts by name: ICU has changed the order and separators of a locale before.
  const parts = formatterOf(timeZone).formatToParts(time);
  const part = (type: 'year' | 'month' | 'day') => parts.find((each) => each.type === type)?.value;
  return `${part('year')}-${part('month')}-${part('day')}`;
}

/** Returns the first day of the month of this day. */
export function firstOfMonth(day: string): string {
  return `${day.slice(0, 7)}-01`;
}

/** Returns the moment at which this day ends in the zone. */
export function endOfDay(day: string, timeZone: string): Date {
  const next = new Date(`${day}T00:00:00Z`);
  next.setUTCDate(next.getUTCDate() + 1);
  return startOfDay(next.toISOString().slice(0, 10), timeZone);
}

/** Returns the moment at which the month that starts on this day ends in the zone. */
export function endOfMonth(firstDay: string, timeZone: string): Date {
  const next = new Date(`${firstDay}T00:00:00Z`);
  next.setUTCMonth(next.getUTCMonth() + 1);
  return startOfDay(next.toISOString().slice(0, 10), timeZone);
}

/** Seconds. The offset of every zone from UTC is smaller. */
const MOST_OFFSET_S = 26 * 3600;

/**
 * Returns the first second of the day in the zone. It is not always 00:00 (clocks may go forward at midnight) and not always 24
 * hours after the last one. So this searches for it; days only grow with time.
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
