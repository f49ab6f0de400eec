/** Parses date-times of RFC 3339 (section 5.6), all digits included. Every time in a request is parsed here. */

/**
 * All services can store these years. The RFC allows a small `t` and `z`. It allows a blank instead of the `T` only if both sides
 * agree.
 */
const DATE_TIME =
  /^([12]\d{3})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** For schemas. A text that matches may still be no real time, such as 30 February. */
export const DATE_TIME_PATTERN = DATE_TIME.source;

const MINUTE_MS = 60_000;

/**
 * Times on the platform are whole milliseconds. This decides how a time between two of them is rounded. Filters "at or after" and
 * "before" are right if it is rounded up, "up to and including" if it is rounded down.
 */
export type Rounding = 'up' | 'down';

/** Returns undefined for any other text, and for times that do not exist here: 30 February, 24:00, a leap second. */
export function parseDateTime(text: string, rounding: Rounding): Date | undefined {
  const parts = DATE_TIME.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hours, minutes, seconds] = parts.slice(1, 7).map(Number) as Six;
  const localMs = Date.UTC(year, month - 1, day, hours, minutes, seconds);
  // Date.UTC turns a day that does not exist into another: 30 February becomes 2 March.
  if (new Date(localMs).toISOString().slice(0, 19) !== text.slice(0, 19).toUpperCase()) return undefined;
  const offsetMs = offsetOf(parts[8], Number(parts[9] ?? 0), Number(parts[10] ?? 0));
  if (offsetMs === undefined) return undefined;
  return new Date(localMs - offsetMs + fractionMs(parts[7] ?? '', rounding));
}

type Six = [number, number, number, number, number, number];

function offsetOf(sign: string | undefined, hours: number, minutes: number): number | undefined {
  if (hours > 23 || minutes > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
}

function fractionMs(digits: string, rounding: Rounding): number {
  const wholeMs = Number(digits.slice(0, 3).padEnd(3, '0'));
  const isBetween = /[1-9]/.test(digits.slice(3));
  return isBetween && rounding === 'up' ? wholeMs + 1 : wholeMs;
}
