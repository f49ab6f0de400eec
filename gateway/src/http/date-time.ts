/** Reads a date-time of RFC 3339 (section 5.6), to the last digit. Every time that a request names is read here. */

/** Years that every part of the platform can hold. The RFC allows small `t` and `z`; a blank instead of the `T` only where it is agreed upon. */
const DATE_TIME =
  /^([12]\d{3})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;

/** For schemas. What fits it may still name no moment: 30 February. */
export const DATE_TIME_PATTERN = DATE_TIME.source;

const MINUTE_MS = 60_000;

/**
 * Which whole millisecond stands for a moment between two. Times here are whole milliseconds, so "at or after" and "before" find what
 * they name when it is rounded up, "up to and including" when it is rounded down.
 */
export type Rounding = 'up' | 'down';

/** Undefined for any other text, and for a moment that no clock here shows: 30 February, 24:00, a leap second. */
export function parseDateTime(text: string, rounding: Rounding): Date | undefined {
  const parts = DATE_TIME.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hours, minutes, seconds] = parts.slice(1, 7).map(Number) as Six;
  const localMs = Date.UTC(year, month - 1, day, hours, minutes, seconds);
  // Date.UTC carries over what does not exist: 30 February is 2 March to it.
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
