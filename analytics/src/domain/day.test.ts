import { describe, expect, it } from 'vitest';
import { dayOf, daysBefore, daysBetween, isDay } from './day.ts';

describe('a day', () => {
  it('is tested in a time zone whose day is another for most of the time', () => {
    // See vitest.config.ts: fourteen hours ahead.
    expect(new Date('2026-01-01T00:00:00Z').getTimezoneOffset()).toBe(-14 * 60);
  });

  it('begins and ends at midnight UTC', () => {
    expect(dayOf(new Date('2026-03-01T23:59:59.999Z'))).toBe('2026-03-01');
    expect(dayOf(new Date('2026-03-02T00:00:00.000Z'))).toBe('2026-03-02');
  });

  it.each([
    '2026-02-30',
    '2026-13-01',
    '2026-1-1',
    '26-01-01',
    '2026-01-01T00:00:00Z',
    '+002026-01-01',
    '+010000-01',
    '2026-01-01 ',
    'today',
    '',
  ])('is not %j', (text) => expect(isDay(text)).toBe(false));

  it('counts the leap day at the end of February', () => {
    expect(isDay('2028-02-29')).toBe(true);
    expect(daysBetween('2028-02-28', '2028-03-01')).toBe(2);
    expect(daysBefore('2028-03-01', 1)).toBe('2028-02-29');
  });
});
