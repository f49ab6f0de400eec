import { toDecimal } from '@payflowx/client';
import { expect, it } from 'vitest';
import { formatMinor, parseMinor } from './minor-units.ts';

it.each([
  [0, 2, '0.00'],
  [5, 2, '0.05'],
  [123_450, 2, '1,234.50'],
  [-1, 2, '−0.01'],
  [1_250, 0, '1,250'],
  [1_250, 3, '1.250'],
  ['9007199254740991', 2, '90,071,992,547,409.91'],
])('writes %s with %s decimals as %s', (amount, exponent, text) => {
  expect(formatMinor(amount, exponent)).toBe(text);
});

it.each([
  ['12.5', 2, 1_250],
  ['12', 2, 1_200],
  [' 0.07 ', 2, 7],
  ['1250', 0, 1_250],
  ['90071992547409.91', 2, Number.MAX_SAFE_INTEGER],
])('reads %j with %s decimals as %s', (text, exponent, amount) => {
  expect(parseMinor(text, exponent)).toEqual({ amount });
});

it.each([
  ['', 2],
  ['0', 2],
  ['-5', 2],
  ['1.234', 2],
  ['1.5', 0],
  ['12,50', 2],
  ['1e3', 2],
  ['90071992547409.92', 2],
])('refuses %j with %s decimals', (text, exponent) => {
  expect(parseMinor(text, exponent)).toHaveProperty('error');
});

it('reads back what it wrote', () => {
  for (const amount of [1, 99, 100, 123_456_789]) {
    expect(parseMinor(toDecimal(amount, 2), 2)).toEqual({ amount });
  }
});
