import { describe, expect, it } from 'vitest';
import { MAX_MINOR } from './money.ts';
import { minusReleased, plusPayment, shown, type Usage, usageIn, windowsAt } from './usage.ts';

const used: Usage = {
  day: '2025-01-31',
  spentToday: 70n,
  countToday: 2,
  month: '2025-01-01',
  spentThisMonth: 900n,
};
const at = (time: string) => usageIn(windowsAt(new Date(time), 'UTC'), used);

describe('the use of limits', () => {
  it('counts within the same day to its last millisecond', () => {
    expect(at('2025-01-31T23:59:59.999Z')).toEqual(used);
  });

  it('begins a new day and a new month at midnight', () => {
    expect(at('2025-02-01T00:00:00.000Z')).toEqual({
      day: '2025-02-01',
      spentToday: 0n,
      countToday: 0,
      month: '2025-02-01',
      spentThisMonth: 0n,
    });
  });

  it('keeps the month when only the day is over', () => {
    const early = { ...used, day: '2025-01-30' };
    const today = usageIn(windowsAt(new Date('2025-01-31T00:00:00Z'), 'UTC'), early);
    expect(today).toEqual({ ...used, spentToday: 0n, countToday: 0 });
  });

  it('does not reopen yesterday for an instance whose clock is behind', () => {
    const ahead = { ...used, day: '2025-02-01', month: '2025-02-01' };
    expect(usageIn(windowsAt(new Date('2025-01-31T23:59:59.999Z'), 'UTC'), ahead)).toEqual(ahead);
  });

  it('begins a new day at midnight in the time zone of the account', () => {
    const inBerlin = (time: string) => windowsAt(new Date(time), 'Europe/Berlin');
    expect(inBerlin('2025-01-31T22:59:59.999Z')).toEqual({ day: '2025-01-31', month: '2025-01-01' });
    expect(inBerlin('2025-01-31T23:00:00.000Z')).toEqual({ day: '2025-02-01', month: '2025-02-01' });
    expect(inBerlin('2025-07-31T22:00:00.000Z')).toEqual({ day: '2025-08-01', month: '2025-08-01' });
  });

  it('does not reopen a day for an account that moves westward', () => {
    const inTokyo = plusPayment(usageIn(windowsAt(new Date('2025-01-31T15:30:00Z'), 'Asia/Tokyo'), used), 5n);
    expect(inTokyo).toMatchObject({ day: '2025-02-01', spentToday: 5n });
    expect(usageIn(windowsAt(new Date('2025-01-31T15:31:00Z'), 'America/Lima'), inTokyo)).toEqual(inTokyo);
  });

  it('subtracts a released amount, and the payment itself if it is released in full', () => {
    const usedIn = { day: used.day, month: used.month };
    expect(minusReleased(used, { usedIn, released: 30n, whole: false })).toEqual({
      ...used,
      spentToday: 40n,
      spentThisMonth: 870n,
    });
    expect(minusReleased(used, { usedIn, released: 70n, whole: true })).toMatchObject({
      spentToday: 0n,
      countToday: 1,
    });
  });

  it('subtracts nothing from a window in which the amount was not used', () => {
    const yesterday = { day: '2025-01-30', month: '2025-01-01' };
    expect(minusReleased(used, { usedIn: yesterday, released: 30n, whole: true })).toEqual({
      ...used,
      spentThisMonth: 870n,
    });
    const lastYear = { day: '2024-12-31', month: '2024-12-01' };
    expect(minusReleased(used, { usedIn: lastYear, released: 30n, whole: true })).toEqual(used);
  });

  it('counts beyond the cap, so that a release gives back what was counted, and shows the cap', () => {
    const before = { ...used, spentToday: MAX_MINOR - 1n };
    const full = plusPayment(before, 5n);
    expect(full).toMatchObject({ spentToday: MAX_MINOR + 4n, countToday: 3, spentThisMonth: 905n });
    expect([full, before].map(({ spentToday }) => shown(spentToday))).toEqual([MAX_MINOR, MAX_MINOR - 1n]);
    const usedIn = { day: full.day, month: full.month };
    expect(minusReleased(full, { usedIn, released: 5n, whole: true })).toEqual(before);
  });
});
