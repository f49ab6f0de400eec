import { expect, it } from 'vitest';
import { checkFilter, type PaymentFilter } from './payment-filter.ts';

const ACCOUNT = 'acct_0198c5b2-0000-7000-8000-000000000001';
const now = new Date('2026-01-01T00:00:00Z');
const never = new Date('no time');

it.each<PaymentFilter>([
  {},
  { accountId: ACCOUNT },
  { accountId: 'external:EUR' },
  // A currency that is not in use has no payments.
  { accountId: 'external:FOO' },
  { currency: 'EUR' },
  { reference: 'r'.repeat(100) },
  { createdAfter: now, createdBefore: now },
  {
    accountId: ACCOUNT,
    currency: 'JPY',
    reference: '',
    createdAfter: now,
    states: ['FAILED'],
    amountMinMinor: 1n,
  },
])('accepts %o', (filter) => {
  expect(() => checkFilter(filter)).not.toThrow();
});

const ACCOUNT_RULE = ['account_id', 'must be acct_ and a UUID, or external:CURRENCY'];
it.each<[PaymentFilter, [string, string][]]>([
  ...[
    '',
    'acct_1',
    'external',
    'external:',
    'external:EURO',
    'external:eur',
    'xexternal:EUR',
    'EUR',
    'internal:EUR',
    ':EUR',
    `${ACCOUNT}x`,
    `x${ACCOUNT}`,
  ].map((accountId) => [{ accountId }, [ACCOUNT_RULE]] as never),
  [{ currency: '' }, [['currency', 'must be the ISO 4217 code of a currency in use']]],
  [{ reference: 'r'.repeat(101) }, [['reference', 'must be at most 100 characters']]],
  [{ metadata: { a: 'b\0' } }, [['metadata.a', 'must not contain the character NUL']]],
  [{ metadata: { 'a\0': 'b' } }, [['metadata', 'keys must be 1 to 40 characters, none of them NUL']]],
  [{ createdAfter: never }, [['created_after', 'must be a time']]],
  [
    { updatedAfter: never, updatedBefore: never },
    [
      ['updated_after', 'must be a time'],
      ['updated_before', 'must be a time'],
    ],
  ],
  [
    { createdBefore: never, currency: 'eur' },
    [
      ['currency', 'must be the ISO 4217 code of a currency in use'],
      ['created_before', 'must be a time'],
    ],
  ],
])('refuses %o with its fields', (filter, violations) => {
  const expected = violations.map(([field, description]) => ({ field, description }));
  expect(() => checkFilter(filter)).toThrow(
    expect.objectContaining({ reason: 'INVALID_ARGUMENT', violations: expected }),
  );
});
