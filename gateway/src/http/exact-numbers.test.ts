import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findRounded, isExact } from './exact-numbers.ts';

it.each([
  ...['0', '-0', '0.0', '1', '10.0', '100e-1', '1E2', '0.1', '1.50', '-12.5e+3', '1e21', '1e-40'],
  ...['9007199254740991', '9007199254740992', '100000000000000000000000', '1.7976931348623157e308'],
])('%s is exact', (source) => {
  expect(isExact(source)).toBe(true);
});

it.each([
  ...['100.00000000000000001', '9007199254740991.4', '9007199254740993', '1e400', '-1e400', '1e-400'],
  ...['0.1000000000000000055511151231257827', '12345678901234567890', '1e99999999999999999999'],
])('%s is not', (source) => {
  expect(isExact(source)).toBe(false);
});

it('every number that JavaScript writes is exact', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(isExact(String(value))).toBe(true);
    }),
  );
});

it('takes linear time, also for zeros in the middle', () => {
  // Quadratic time would be hours.
  expect(isExact(`0.1${'0'.repeat(1_000_000)}1`)).toBe(false);
});

it('finds the place of a number that is not exact', () => {
  expect(findRounded('{"a": 1, "b/~": [0, {"amount": 100.00000000000000001}]}')).toBe('/b~1~0/1/amount');
  expect(findRounded('9007199254740993')).toBe('');
  expect(findRounded('{"a": "100.00000000000000001", "b": 0.5}')).toBeUndefined();
});
