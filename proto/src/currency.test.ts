import iso4217 from 'currency-codes';
import { describe, expect, it } from 'vitest';
import { CURRENCIES, exponentOf, isCurrency, toDecimal } from './currency.ts';

/** The package `currency-codes` copies an older list of ISO. These are the codes that ISO has changed since then. */
const ADDED_SINCE = ['XAD', 'XCG'];
const WITHDRAWN_SINCE = ['ANG', 'BGN', 'CUC'];
const WITHOUT_MINOR_UNIT = [
  ...['XAG', 'XAU', 'XPD', 'XPT'],
  ...['XBA', 'XBB', 'XBC', 'XBD', 'XDR', 'XSU', 'XUA', 'XTS', 'XXX'],
];

describe('the table of currencies', () => {
  it('has the codes that ISO lists, except those without a minor unit', () => {
    const left = new Set([...WITHDRAWN_SINCE, ...WITHOUT_MINOR_UNIT]);
    const expected = [...iso4217.codes().filter((code) => !left.has(code)), ...ADDED_SINCE].sort();
    expect(CURRENCIES.map(({ code }) => code)).toEqual(expected);
  });

  it('has the same numbers, exponents and names as an independent copy of ISO 4217', () => {
    const shared = CURRENCIES.filter(({ code }) => !ADDED_SINCE.includes(code));
    const theirs = shared.map(({ code }) => {
      const { number = '', digits = Number.NaN, currency = '' } = iso4217.code(code) ?? {};
      return { code, numeric: number, exponent: digits, name: currency.trim() };
    });
    expect(shared).toEqual(theirs);
  });

  it('has no number twice', () => {
    expect(new Set(CURRENCIES.map(({ numeric }) => numeric)).size).toBe(CURRENCIES.length);
  });

  it('refuses codes that are not a currency with a minor unit', () => {
    for (const code of [...WITHOUT_MINOR_UNIT, 'eur', 'EURO', '']) {
      expect(isCurrency(code)).toBe(false);
      expect(() => exponentOf(code)).toThrow(RangeError);
    }
  });
});

describe('an exact decimal', () => {
  it.each([
    [5n, 'EUR', '0.05'],
    [1250n, 'EUR', '12.50'],
    [1250n, 'JPY', '1250'],
    [1500n, 'IQD', '1.500'],
    [0n, 'KWD', '0.000'],
    [-5n, 'USD', '-0.05'],
    [-12345n, 'CLF', '-1.2345'],
    [9_007_199_254_740_991n, 'HUF', '90071992547409.91'],
  ])('of %d %s is %s', (amountMinor, currency, text) => {
    expect(toDecimal(amountMinor, currency)).toBe(text);
  });

  it('loses no digit in any currency', () => {
    for (const { code, exponent } of CURRENCIES) {
      for (const amountMinor of [1n, 5n, 99n, 150n, 12_345n, 9_007_199_254_740_991n]) {
        const [whole = '', fraction = ''] = toDecimal(amountMinor, code).split('.');
        expect([fraction.length, BigInt(whole + fraction)]).toEqual([exponent, amountMinor]);
      }
    }
  });
});
