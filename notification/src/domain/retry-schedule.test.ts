import { describe, expect, it } from 'vitest';
import {
  DISABLE_AFTER_MS,
  isSuspect,
  nextAttemptAt,
  parseRetryAfter,
  pauseAfter,
  RETRY_DELAYS_MS,
} from './retry-schedule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const at = new Date('2026-01-01T00:00:00Z');

describe('a failed webhook', () => {
  const waitMs = (failed: { tries: number; retryAfterMs?: number }, random = 0) =>
    (nextAttemptAt({ at, ...failed }, random)?.getTime() ?? Number.NaN) - at.getTime();

  it('is sent again nine times, within four days, and then no more', () => {
    expect([1, 2, 9].map((tries) => waitMs({ tries }))).toEqual([5_000, 5 * MINUTE, 24 * HOUR]);
    expect(nextAttemptAt({ tries: 10, at }, 0)).toBeUndefined();
    const hours = RETRY_DELAYS_MS.reduce((sum, delay) => sum + delay, 0) / HOUR;
    expect(Math.floor(hours)).toBe(75);
  });

  it('waits up to a tenth longer, by chance', () => {
    expect([0, 0.5, 1].map((random) => waitMs({ tries: 3 }, random))).toEqual([
      30 * MINUTE,
      31.5 * MINUTE,
      33 * MINUTE,
    ]);
  });

  it('waits at least as long as its receiver asked for, but not longer than a day', () => {
    expect(waitMs({ tries: 1, retryAfterMs: 7_000 })).toBe(7_000);
    expect(waitMs({ tries: 1, retryAfterMs: 4_000 })).toBe(5_000);
    expect(waitMs({ tries: 1, retryAfterMs: 48 * HOUR })).toBe(24 * HOUR);
  });
});

it('pauses an endpoint from its fifth failure in a row on, ever longer, up to five minutes', () => {
  expect([0, 4, 5, 6, 7, 10, 11, 12, 2_000].map(pauseAfter)).toEqual([
    ...[0, 0, 5_000, 10_000, 20_000, 160_000],
    ...[5 * MINUTE, 5 * MINUTE, 5 * MINUTE],
  ]);
  expect([0, 4, 5, 6].map(isSuspect)).toEqual([false, false, true, true]);
});

it('disables an endpoint after five days of failures', () => {
  expect(DISABLE_AFTER_MS).toBe(120 * HOUR);
});

describe('Retry-After', () => {
  it.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['0', 0],
    ['120', 120_000],
    ['9999999999', 9_999_999_999_000],
    ['99999999999', undefined],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['12s', undefined],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 2 * MINUTE],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['Thu, 99 Jan 2026 00:02:00 GMT', undefined],
    ['Thu, 01 Jan 2026 00:02:00 GMT+2', undefined],
    ['now: Thu, 01 Jan 2026 00:02:00 GMT', undefined],
    ['2026-01-01T00:02:00Z', undefined],
  ])('%j means %o ms', (value, ms) => {
    expect(parseRetryAfter(value, at)).toBe(ms);
  });
});
