import { describe, expect, it } from 'vitest';
import { MAX_MINOR } from './money.ts';
import { endOfDay, endOfMonth, plusPayment, type Usage, usageIn, windowsAt } from './usage.ts';

const used: Usage = {
  day: '2025-01-31',
  spentToday: 70n,
  countToday: 2,
  month: '2025-01-01',
  spentThisMonth: 900n,
};
const at = (time: string) => usageIn(windowsAt(new Date(time)), used);

describe('the use of limits', () => {
  it('counts within the same day, UTC, to its last millisecond', () => {
    expect(at('2025-01-31T23:59:59.999Z')).toEqual(used);
  });

  it('begins a new day and a new month at midnight, UTC', () => {
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
    const today = usageIn(windowsAt(new Date('2025-01-31T00:00:00Z')), early);
    expect(today).toEqual({ ...used, spentToday: 0n, countToday: 0 });
  });

  it('does not open yesterday anew for an instance whose clock is behind', () => {
    const ahead = { ...used, day: '2025-02-01', month: '2025-02-01' };
    expect(usageIn(windowsAt(new Date('2025-01-31T23:59:59.999Z')), ahead)).toEqual(ahead);
  });

  it('says when a window ends, over the ends of months and years', () => {
    expect(endOfDay('2024-02-28')).toEqual(new Date('2024-02-29T00:00:00Z'));
    expect(endOfDay('2025-12-31')).toEqual(new Date('2026-01-01T00:00:00Z'));
    expect(endOfMonth('2025-12-01')).toEqual(new Date('2026-01-01T00:00:00Z'));
  });

  it('stops adding at the cap, where any limit has long declined', () => {
    const full = plusPayment({ ...used, spentToday: MAX_MINOR - 1n }, 5n);
    expect(full).toMatchObject({ spentToday: MAX_MINOR, countToday: 3, spentThisMonth: 905n });
  });
});
