import { describe, expect, it } from 'vitest';
import {
  type AccountFigures,
  differencesOf,
  type Figure,
  type FigureLine,
  fingerprintOf,
  isPending,
  missingDifference,
  type Source,
} from './reconciliation.ts';

const NOBODY: AccountFigures['lines'] = {
  authorization: [],
  ledger: [],
  payment: [],
  analytics: [],
  notification: [],
};
type Figures = Partial<Record<Figure, bigint>>;
const line = (figures: Figures, currency = 'EUR'): FigureLine => ({
  accountId: 'acct_a',
  currency,
  figures,
});
const account = (lines: Partial<AccountFigures['lines']>): AccountFigures => ({
  accountId: 'acct_a',
  lines: { ...NOBODY, ...lines },
});

/** All services agree, except for the given figures. */
const agreed = (changes: Partial<Record<Source, Figures>> = {}): AccountFigures => {
  const of = (source: Source, figures: Figures, currency = 'EUR') => [
    line({ ...figures, ...changes[source] }, currency),
  ];
  const balance = { posted: 70n, held: 5n };
  const turnover = { sent: 30n, received: 100n };
  return account({
    authorization: of('authorization', balance),
    ledger: of('ledger', balance),
    payment: of('payment', { ...balance, ...turnover, notifications: 3n }),
    analytics: of('analytics', turnover),
    notification: of('notification', { notifications: 3n }, ''),
  });
};

const differencesIn = (view: AccountFigures) =>
  differencesOf(view).map(
    ({ figure, expectedBy, expected, foundBy, found }) =>
      `${figure}: ${expectedBy} ${expected}, ${foundBy} ${found}`,
  );

describe('an account', () => {
  it('has no difference if all services agree, and services that do not know it count as 0', () => {
    expect(differencesIn(agreed())).toEqual([]);
    expect(differencesIn(account({ authorization: [line({ posted: 0n, held: 0n })] }))).toEqual([]);
  });

  it.each<[Partial<Record<Source, Figures>>, string[]]>([
    [{ ledger: { posted: 71n } }, ['posted: authorization 70, ledger 71']],
    [{ ledger: { held: 4n } }, ['held: authorization 5, ledger 4']],
    [{ payment: { posted: 69n } }, ['posted: authorization 70, payment 69']],
    [{ analytics: { sent: 31n } }, ['sent: payment 30, analytics 31']],
    [{ analytics: { received: 99n } }, ['received: payment 100, analytics 99']],
    [{ notification: { notifications: 2n } }, ['notifications: payment 3, notification 2']],
    [
      { ledger: { posted: 1n }, payment: { posted: 2n } },
      ['posted: authorization 70, ledger 1', 'posted: authorization 70, payment 2'],
    ],
  ])('names who differs (%#)', (changes, expected) => {
    expect(differencesIn(agreed(changes))).toEqual(expected);
  });

  it('differs in authorization if ledger and payment agree against it', () => {
    expect(differencesIn(agreed({ authorization: { posted: 69n, held: 6n } }))).toEqual([
      'posted: ledger 70, authorization 69',
      'held: ledger 5, authorization 6',
    ]);
  });

  it('differs if a service does not know it at all', () => {
    const { lines } = agreed();
    expect(differencesIn(account({ ...lines, ledger: [] }))).toEqual([
      'posted: authorization 70, ledger 0',
      'held: authorization 5, ledger 0',
    ]);
  });

  it('is compared currency by currency, but notifications in total', () => {
    const { lines } = agreed();
    const tried = line({ notifications: 1n }, 'USD');
    const heard = { notification: [line({ notifications: 4n }, '')] };
    expect(differencesIn(account({ ...lines, payment: [...lines.payment, tried], ...heard }))).toEqual([]);
    const wrong = differencesOf(
      account({ ...lines, ledger: [...lines.ledger, line({ posted: 1n }, 'USD')] }),
    );
    expect(wrong).toMatchObject([{ currency: 'USD', figure: 'posted', foundBy: 'ledger', found: 1n }]);
  });

  it('uses its only currency for analytics if analytics does not know it', () => {
    const { lines } = agreed();
    const analytics = [line({ sent: 30n, received: 100n }, '')];
    expect(differencesIn(account({ ...lines, analytics }))).toEqual([]);
  });

  it('has another fingerprint if any figure changes', () => {
    expect(fingerprintOf(agreed())).toBe(fingerprintOf(agreed()));
    expect(fingerprintOf(agreed())).not.toBe(fingerprintOf(agreed({ analytics: { sent: 31n } })));
  });
});

it('an account is pending if any service expects more events for it', () => {
  const waiting = { ...line({ posted: 1n }), isPending: true };
  expect(
    isPending(account({ ledger: [line({ posted: 1n })], payment: [{ ...waiting, isPending: false }] })),
  ).toBe(false);
  expect(isPending(account({ ledger: [line({ posted: 1n })], payment: [line({ sent: 1n }), waiting] }))).toBe(
    true,
  );
  expect(isPending(account({}))).toBe(false);
});

it('a missing record is a difference between what payment announced and what notification has', () => {
  const missing = { accountId: 'acct_a', figure: 'missing_mails', count: 2n } as const;
  expect(missingDifference(missing)).toEqual({
    ...{ accountId: 'acct_a', currency: '', figure: 'missing_mails' },
    ...{ expectedBy: 'payment', expected: 0n, foundBy: 'notification', found: 2n },
  });
});
