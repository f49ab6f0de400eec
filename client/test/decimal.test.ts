import { expect, it } from 'vitest';
import { toDecimal } from '../src/index.ts';

it.each([
  [1_250, 2, '12.50'],
  [1_250, 0, '1250'],
  [1_250, 3, '1.250'],
  [5, 2, '0.05'],
  [0, 2, '0.00'],
  [-5, 2, '-0.05'],
  ['9007199254740991', 2, '90071992547409.91'],
  [10n ** 20n, 4, '10000000000000000.0000'],
])('%s with exponent %s is %s', (minor, exponent, decimal) => {
  expect(toDecimal(minor, exponent)).toBe(decimal);
});
