import { expect, it } from 'vitest';
import { DECLINES, mayPassLater } from './declines.ts';

it.each([
  ['INSUFFICIENT_BALANCE', true],
  ['TO_ACCOUNT_NOT_ACTIVE', true],
  ['TO_ACCOUNT_CLOSED', false],
  ['CURRENCY_MISMATCH', false],
  ['A_CODE_OF_A_LATER_VERSION', false],
  ['toString', false],
])('a payment that was declined with %s may pass later: %s', (code, expected) => {
  expect(mayPassLater(code)).toBe(expected);
});

it('each decline has a sentence for the payer', () => {
  for (const [code, { message }] of Object.entries(DECLINES)) expect(message, code).toMatch(/^[A-Z].*\.$/);
});
