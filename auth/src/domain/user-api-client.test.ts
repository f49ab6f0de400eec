import { SCOPES } from '@payflowx/chassis';
import { expect, it } from 'vitest';
import { isUserApiClientId, newClientSecret, newUserApiClient } from './user-api-client.ts';

const good = { name: 'Shop', userId: 'usr_1', scopes: ['payments:read'] };

it('has each scope once and in one order', () => {
  const scopes = ['payments:read', 'accounts:read', 'payments:read'];
  expect(newUserApiClient({ ...good, scopes }).scopes).toEqual(['accounts:read', 'payments:read']);
});

it('can have every scope that the services know', () => {
  expect(newUserApiClient({ ...good, scopes: SCOPES }).scopes.toSorted()).toEqual(SCOPES.toSorted());
});

it.each([
  ['no scope', { scopes: [] }, /scopes must be/],
  ['an unknown scope among others', { scopes: ['payments:read', 'users:write'] }, /scopes must be/],
  ['a scope without the one it needs', { scopes: ['ledger:read'] }, /must also contain accounts:read/],
  ['an empty name', { name: '  ' }, /name/],
  ['an overlong name', { name: 'x'.repeat(101) }, /name/],
  ['a name that is not printable', { name: 'a\nb' }, /name/],
])('is refused with %s', (_, changed, expected) => {
  expect(() => newUserApiClient({ ...good, ...changed })).toThrow(expected);
});

it('has a secret of 256 random bits and an id with its own prefix', () => {
  expect(Buffer.from(newClientSecret(), 'base64url')).toHaveLength(32);
  expect(newClientSecret()).not.toBe(newClientSecret());
  expect(['cli_1', 'svc_payment', 'usr_1', "cli_'"].map(isUserApiClientId)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
