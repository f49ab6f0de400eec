import { CURRENCIES, exponentOf, toDecimal } from '@payflowx/proto/currency';
import { describe, expect, it } from 'vitest';
import { formatMoney } from './money.ts';

const LARGEST = 9_007_199_254_740_991n;

it('is tested on a machine with another language', () => {
  expect(new Intl.NumberFormat().resolvedOptions().locale).toBe('de-DE');
});

describe('formatted money', () => {
  it.each([
    [1n, 'EUR', '€0.01'],
    [1250n, 'JPY', '¥1,250'],
    [1234n, 'KWD', 'KWD\u00a01.234'],
    [-1250n, 'EUR', '-€12.50'],
    [LARGEST, 'USD', '$90,071,992,547,409.91'],
  ])('%d of %s is %s', (amountMinor, currency, text) => {
    expect(formatMoney(amountMinor, currency, 'en')).toBe(text);
  });

  /** Code, ISO 4217's exponent, minor units, and the expected digits. CLDR has other exponents for the first three rows. */
  it.each([
    ...([
      ['HUF', 2, 150n, '1.50'],
      ['IDR', 2, 1_234_567n, '12,345.67'],
      ['COP', 2, 5n, '0.05'],
      ['PKR', 2, 99n, '0.99'],
    ] as const),
    ...(['LAK', 'MMK', 'AFN', 'ALL', 'IRR', 'KPW', 'LBP', 'SOS', 'SYP', 'YER'] as const).map(
      (code) => [code, 2, 150n, '1.50'] as const,
    ),
    ...([
      ['IQD', 3, 1500n, '1.500'],
      ['MGA', 2, 150n, '1.50'],
      ['MRU', 2, 150n, '1.50'],
    ] as const),
    ...([
      ['EUR', 2, 1_234_567n, '12,345.67'],
      ['JPY', 0, 1_234_567n, '1,234,567'],
      ['ISK', 0, 1500n, '1,500'],
    ] as const),
    ...([
      ['UGX', 0, 7n, '7'],
      ['KWD', 3, 5n, '0.005'],
      ['BHD', 3, 1_234_567n, '1,234.567'],
    ] as const),
    ...([
      ['CLF', 4, 12_345n, '1.2345'],
      ['UYW', 4, 12_345n, '1.2345'],
      ['EUR', 2, LARGEST, '90,071,992,547,409.91'],
    ] as const),
  ])('%s, with %d decimals: %d is %s', (currency, exponent, amountMinor, digits) => {
    expect(exponentOf(currency)).toBe(exponent);
    expect(digitsOf(formatMoney(amountMinor, currency, 'en'))).toBe(digits);
  });

  it('shows every digit of every currency', () => {
    for (const { code } of CURRENCIES) {
      for (const amountMinor of [1n, 5n, 99n, 150n, 12_345n, LARGEST]) {
        const digits = digitsOf(formatMoney(amountMinor, code, 'en'));
        expect(digits.replaceAll(',', ''), code).toBe(toDecimal(amountMinor, code));
      }
    }
  });
});

/** The number in the text, without its currency. */
function digitsOf(text: string): string {
  return /\d[\d.,]*$/.exec(text)?.[0] ?? '';
}
