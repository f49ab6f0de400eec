import { describe, expect, it } from 'vitest';
import { type PaymentFact, successRate, sumUp } from './totals.ts';

const fact = (changes: Partial<PaymentFact>): PaymentFact => ({
  eventId: 'evt_1',
  type: 'initiated',
  occurredAt: new Date('2026-03-01T12:00:00.000Z'),
  currency: 'EUR',
  fromAccount: 'acct_ann',
  toAccount: 'acct_bob',
  isPayerKnown: true,
  capturedMinor: 0n,
  refundedMinor: 0n,
  hasMoved: false,
  ...changes,
});

describe('the totals', () => {
  it('count a payment that was captured in two parts once, and both amounts', () => {
    const { days, accounts } = sumUp([
      fact({ type: 'initiated' }),
      fact({ type: 'authorized' }),
      fact({ type: 'captured', capturedMinor: 30n, hasMoved: true }),
      fact({ type: 'completed', capturedMinor: 70n, hasMoved: true }),
    ]);
    expect(days).toMatchObject([
      { initiatedCount: 1n, completedCount: 1n, failedCount: 0n, capturedMinor: 100n },
    ]);
    expect(accounts).toMatchObject([
      { accountId: 'acct_ann', sentCount: 1n, sentMinor: 100n, receivedCount: 0n },
      { accountId: 'acct_bob', sentCount: 0n, receivedCount: 1n, receivedMinor: 100n },
    ]);
  });

  it('count a payment as completed if its hold ran out after a part was captured', () => {
    expect(sumUp([fact({ type: 'expired', hasMoved: true })]).days).toMatchObject([
      { expiredCount: 0n, completedCount: 1n },
    ]);
    expect(sumUp([fact({ type: 'expired' })]).days).toMatchObject([{ expiredCount: 1n, completedCount: 0n }]);
  });

  it('count each refund, and do not change the amounts sent and received', () => {
    const refunds = [
      fact({ type: 'refunded', refundedMinor: 5n }),
      fact({ type: 'refunded', refundedMinor: 6n }),
    ];
    const { days, accounts } = sumUp(refunds);
    expect(days).toMatchObject([{ refundCount: 2n, refundedMinor: 11n, capturedMinor: 0n }]);
    expect(accounts).toEqual([]);
  });

  it('count a declined payment for the payer’s account only if the payer owns it', () => {
    expect(sumUp([fact({ type: 'failed' })]).accounts).toMatchObject([
      { accountId: 'acct_ann', failedCount: 1n },
    ]);
    const strangers = sumUp([fact({ type: 'failed', isPayerKnown: false })]);
    expect(strangers.accounts).toEqual([]);
    expect(strangers.days).toMatchObject([{ failedCount: 1n }]);
  });

  it('separate days and currencies, by the time of each event', () => {
    const { days } = sumUp([
      fact({ occurredAt: new Date('2026-03-02T00:00:00.000Z') }),
      fact({ currency: 'USD' }),
      fact({ occurredAt: new Date('2026-03-01T23:59:59.999Z') }),
    ]);
    expect(days.map(({ day, currency }) => `${day} ${currency}`)).toEqual([
      '2026-03-01 EUR',
      '2026-03-01 USD',
      '2026-03-02 EUR',
    ]);
  });

  it('count each outcome of a payment', () => {
    const counted = (type: PaymentFact['type']) => {
      const { day: _, currency: __, latestEventAt: ___, ...counts } = sumUp([fact({ type })]).days[0] ?? {};
      return Object.keys(counts).filter((name) => counts[name as keyof typeof counts] !== 0n);
    };
    expect(counted('cancelled')).toEqual(['cancelledCount']);
    expect(counted('refunded')).toEqual(['refundCount']);
    expect(counted('authorized')).toEqual([]);
  });

  it('know their latest event, in whatever order the events come', () => {
    const [early, late] = ['2026-03-01T01:00:00.000Z', '2026-03-01T02:00:00.000Z'].map((at) => new Date(at));
    for (const times of [
      [early, late],
      [late, early],
    ]) {
      const { days } = sumUp(times.map((occurredAt) => fact({ occurredAt })));
      expect(days.map(({ latestEventAt }) => latestEventAt)).toEqual([late]);
    }
  });

  it('know an account’s currency once money has moved', () => {
    const currencies = (changes: Partial<PaymentFact>) =>
      sumUp([fact(changes)]).accounts.map(({ currency }) => currency);
    expect(currencies({ type: 'captured', capturedMinor: 1n })).toEqual(['EUR', 'EUR']);
    expect(currencies({ type: 'completed', hasMoved: true })).toEqual([undefined, undefined]);
    expect(currencies({ type: 'failed' })).toEqual([undefined]);
  });

  it('leave out accounts for which nothing is counted', () => {
    expect(sumUp([fact({ type: 'initiated' }), fact({ type: 'cancelled' })]).accounts).toEqual([]);
  });

  it('have no success rate before any payment has ended', () => {
    const [day] = sumUp([fact({ type: 'initiated' })]).days;
    expect(day && successRate(day)).toBeUndefined();
    const [ended] = sumUp([fact({ type: 'completed' }), fact({ type: 'failed' })]).days;
    expect(ended && successRate(ended)).toBe(0.5);
  });
});
