import { expect, it } from 'vitest';
import { isAccountId, isOperationId, isPaymentId } from './ids.ts';

const UUID = '0198c5b2-7a30-7c41-9d52-0123456789ab';

it('an id is its prefix and a UUID in lower case, and nothing around it', () => {
  expect([isAccountId(`acct_${UUID}`), isPaymentId(`pay_${UUID}`)]).toEqual([true, true]);
  for (const text of [
    UUID,
    `acct_${UUID}x`,
    ` acct_${UUID}`,
    `acct_${UUID.toUpperCase()}`,
    'acct_',
    `pay_${UUID}`,
  ]) {
    expect(isAccountId(text), text).toBe(false);
  }
  for (const text of [`acct_${UUID}`, `pay_${UUID}x`, ` pay_${UUID}`, 'pay_', '']) {
    expect(isPaymentId(text), text).toBe(false);
  }
});

it.each([
  ['CAPTURE', 'cap_0198c5b2-0000-7000-8000-000000000001', true],
  ['CAPTURE', 'ref_0198c5b2-0000-7000-8000-000000000001', false],
  ['REFUND', 'ref_0198c5b2-0000-7000-8000-000000000001', true],
  ['REFUND', 'ref_1', false],
] as const)('of a %s: %s is %s', (kind, text, expected) => {
  expect(isOperationId(kind, text)).toBe(expected);
});
