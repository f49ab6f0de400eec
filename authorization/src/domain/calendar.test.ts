import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dayAt, endOfDay, endOfMonth, firstOfMonth, isTimeZone } from './calendar.ts';

/** `make mutate` draws fewer cases. */
const { numRuns: USUAL_RUNS = 100 } = fc.readConfigureGlobal();

describe('the end of a day', () => {
  it.each([
    ['UTC', '2024-02-28', '2024-02-29T00:00:00Z'],
    ['Europe/Berlin', '2025-01-15', '2025-01-15T23:00:00Z'],
    ['Europe/Berlin', '2025-03-30', '2025-03-30T22:00:00Z', 'the 23 hours of spring'],
    ['Europe/Berlin', '2025-10-26', '2025-10-26T23:00:00Z', 'the 25 hours of autumn'],
    ['America/New_York', '2025-12-31', '2026-01-01T05:00:00Z'],
    ['Asia/Kathmandu', '2025-06-01', '2025-06-01T18:15:00Z'],
    ['Pacific/Kiritimati', '2025-06-01', '2025-06-01T10:00:00Z'],
    ['America/Havana', '2025-03-08', '2025-03-09T05:00:00Z', 'no midnight: the next day begins at 01:00'],
    ['America/Havana', '2025-11-02', '2025-11-03T05:00:00Z', '00:30 occurs a second time'],
    ['Africa/Cairo', '2025-10-30', '2025-10-30T22:00:00Z', '23:30 occurs a second time'],
    ['Australia/Lord_Howe', '2025-10-05', '2025-10-05T13:00:00Z', 'summer time of half an hour'],
    ['Pacific/Apia', '2011-12-29', '2011-12-30T10:00:00Z', 'the calendar skips the 30th'],
  ])('in %s on %s is %s', (timeZone, day, end, _why?: string) => {
    expect(endOfDay(day, timeZone)).toEqual(new Date(end));
  });

  it('is right for every zone and season', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'America/Havana',
      'Asia/Beirut',
      'Africa/Cairo',
      'America/Santiago',
      'Australia/Lord_Howe',
      'Pacific/Chatham',
      'Asia/Kolkata',
      'America/Nuuk',
      'Africa/Casablanca',
    ];
    const minute = fc.integer({
      min: Date.parse('2020-01-01') / 60_000,
      max: Date.parse('2035-01-01') / 60_000,
    });
    fc.assert(
      fc.property(fc.constantFrom(...zones), minute, (zone, minutes) => {
        const now = new Date(minutes * 60_000);
        const day = dayAt(now, zone);
        const end = endOfDay(day, zone);
        expect(end.getTime()).toBeGreaterThan(now.getTime());
        expect(end.getTime() - now.getTime()).toBeLessThanOrEqual(25 * 3_600_000);
        expect(dayAt(end, zone) > day).toBe(true);
        expect(dayAt(new Date(end.getTime() - 1), zone)).toBe(day);
        const monthEnd = endOfMonth(firstOfMonth(day), zone);
        expect(dayAt(monthEnd, zone).slice(8)).toBe('01');
        expect(dayAt(new Date(monthEnd.getTime() - 1), zone).slice(0, 7)).toBe(day.slice(0, 7));
      }),
      { numRuns: 10 * USUAL_RUNS },
    );
  });
});

describe('the end of a month', () => {
  it('is midnight there, with the summer time of that day', () => {
    expect(endOfMonth('2025-12-01', 'UTC')).toEqual(new Date('2026-01-01T00:00:00Z'));
    expect(endOfMonth('2025-03-01', 'Europe/Berlin')).toEqual(new Date('2025-03-31T22:00:00Z'));
    expect(endOfMonth('2025-02-01', 'Europe/Berlin')).toEqual(new Date('2025-02-28T23:00:00Z'));
  });
});

describe('a time zone', () => {
  it.each(['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'US/Eastern'])(
    'is %s',
    (name) => expect(isTimeZone(name)).toBe(true),
  );
  it.each(['', '+01:00', 'Europe/Atlantis', 'Europe/Berlin ', '../etc/localtime', 'x'.repeat(65)])(
    'is not "%s"',
    (name) => expect(isTimeZone(name)).toBe(false),
  );
});
