/** Text and times on the wire. */
import { Type } from 'typebox';
import { DATE_TIME_PATTERN, parseDateTime, type Rounding } from '../http/date-time.ts';
import { ProblemError } from '../problems/problem.ts';
import { pattern } from './expected-words.ts';
import { NO_NUL } from './no-nul.ts';

/** Free text without NUL, which PostgreSQL cannot store. */
export const text = (maxLength: number, description: string, example: string) =>
  Type.String({ maxLength, pattern: NO_NUL, description, examples: [example] });

const TIME_EXAMPLE = '2026-01-31T12:00:00.000Z';

export const timeInput = (description: string) =>
  Type.String({
    format: 'date-time',
    pattern: pattern(
      DATE_TIME_PATTERN,
      `is not a date and time with an offset, such as ${TIME_EXAMPLE} or 2026-01-31T13:00:00+01:00`,
    ),
    description: `${description} Digits below a millisecond are not ignored.`,
    examples: [TIME_EXAMPLE],
  });

interface TimePlace {
  place?: 'query' | 'body';
  /** Up, unless the filter includes the time itself. */
  rounding?: Rounding;
}

/** Parses a time of a request. Some texts match the schema but are no real time, such as a leap second. */
export function timeOf(
  pointer: string,
  value: string | undefined,
  { place = 'query', rounding = 'up' }: TimePlace = {},
): Date | undefined {
  if (value === undefined) return undefined;
  const date = parseDateTime(value, rounding);
  if (date) return date;
  const detail = 'is not a time that exists';
  throw new ProblemError('INVALID_REQUEST', `${pointer.slice(1)} ${detail}.`, {
    errors: [{ pointer, detail, in: place }],
  });
}

export const nullableText = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description });

export const nullableTime = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time', description });

/** A map of any names to texts. */
export const texts = (description: string) =>
  Type.Unsafe<Record<string, string>>({
    type: 'object',
    additionalProperties: { type: 'string' },
    description,
  });

export const dayInput = (description: string) =>
  Type.String({
    format: 'date',
    pattern: pattern('^[12]\\d{3}-', 'is not a date, such as 2026-01-31'),
    description,
    examples: ['2026-01-31'],
  });

export const time = (description: string) => Type.String({ format: 'date-time', description });

/** RFC 3339 UTC with milliseconds. A missing time that the contract promises is a bug of the other service. */
export function timeJson(date: Date | undefined): string {
  if (date === undefined) throw new Error('A response of another service has no time in a required field.');
  return date.toISOString();
}

export const nullableTimeJson = (date: Date | undefined): string | null => date?.toISOString() ?? null;

/** proto3 has no null: an empty string means that there is no value. */
export const emptyAsNull = (value: string): string | null => (value === '' ? null : value);
