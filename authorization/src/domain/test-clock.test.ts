import { describe, expect, it } from 'vitest';
import { begunWindows } from './test-clock.ts';

const NOON = new Date('2026-11-30T12:00:00Z');
const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;

describe('the windows that begin', () => {
  it.each([
    ['an hour of the same day', 0, HOUR_S, { days: 0, months: 0 }],
    ['the last second of the day', 0, 12 * HOUR_S - 1, { days: 0, months: 0 }],
    ['midnight, and with it a month', 0, 12 * HOUR_S, { days: 1, months: 1 }],
    ['a day after half a day', 12 * HOUR_S, 36 * HOUR_S, { days: 1, months: 0 }],
    ['a whole year', 0, 365 * DAY_S, { days: 365, months: 12 }],
  ])('in %s', (_, beforeS, afterS, expected) => {
    expect(begunWindows(NOON, 'UTC', beforeS, afterS)).toEqual(expected);
  });

  it('are those of the time zone', () => {
    expect(begunWindows(NOON, 'Pacific/Kiritimati', 0, HOUR_S)).toEqual({ days: 0, months: 0 });
    expect(begunWindows(NOON, 'Asia/Tokyo', 0, 3 * HOUR_S)).toEqual({ days: 1, months: 1 });
  });

  it('are as many in small steps as in one', () => {
    let days = 0;
    for (let hour = 0; hour < 240; hour += 1) {
      days += begunWindows(NOON, 'Europe/Berlin', hour * HOUR_S, (hour + 1) * HOUR_S).days;
    }
    expect(days).toBe(begunWindows(NOON, 'Europe/Berlin', 0, 10 * DAY_S).days);
  });
});
