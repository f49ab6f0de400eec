import { expect, it } from 'vitest';
import { checkOperationFilter, type OperationFilter } from './operation-filter.ts';

const ACCOUNT = 'acct_0198c5b2-0000-7000-8000-000000000001';
const now = new Date('2026-01-01T00:00:00Z');
const never = new Date('no time');

it.each<OperationFilter>([
  {},
  { accountId: ACCOUNT, createdAfter: now, createdBefore: now },
  { accountId: 'external:EUR' },
])('accepts %o', (filter) => {
  expect(() => checkOperationFilter(filter)).not.toThrow();
});

it.each<[OperationFilter, [string, string][]]>([
  [{ accountId: 'acct_1' }, [['account_id', 'must be acct_ and a UUID, or external:CURRENCY']]],
  [
    { createdAfter: never, createdBefore: never },
    [
      ['created_after', 'must be a time'],
      ['created_before', 'must be a time'],
    ],
  ],
])('refuses %o with its fields', (filter, expected) => {
  const violations = expected.map(([field, description]) => ({ field, description }));
  expect(() => checkOperationFilter(filter)).toThrow(
    expect.objectContaining({ reason: 'INVALID_ARGUMENT', violations }),
  );
});
