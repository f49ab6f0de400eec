import { SCOPES } from '@payflowx/chassis';
import { expect, it } from 'vitest';
import { AuthError } from './errors.ts';
import {
  clientNotFound,
  isSameClient,
  isUserApiClientId,
  newClientSecret,
  newUserApiClient,
} from './user-api-client.ts';

const NEEDED = 'scopes must also contain accounts:read: other scopes need them.';
const ALL_SCOPES = SCOPES.join(', ');

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

it.each<[string, boolean]>([
  [`cli_${'a'.repeat(60)}`, true],
  [`cli_${'a'.repeat(61)}`, false],
  ['xcli_1', false],
  ['cli_1 ', false],
])('takes %j for the id of an API client: %s', (text, expected) => {
  expect(isUserApiClientId(text)).toBe(expected);
});

it.each<[object, string]>([
  [{ name: ' ' }, 'name must be 1 to 100 printable characters.'],
  [{ scopes: [] }, `scopes must be at least one of ${ALL_SCOPES}.`],
  [{ scopes: ['accounts:write', 'ledger:read', 'analytics:read'] }, NEEDED],
  [{ scopes: ['accounts:write'] }, NEEDED],
  [{ scopes: ['analytics:read'] }, NEEDED],
])('says what is wrong with %j', (changed, message) => {
  expect(() => newUserApiClient({ ...good, ...changed })).toThrow(message);
  expect(() => newUserApiClient({ ...good, ...changed })).toThrow(AuthError);
});

it('is the same with its scopes in another order, and no other', () => {
  const client = { name: 'Shop', userId: 'usr_1', scopes: ['accounts:read', 'ledger:read'] as const };
  expect(isSameClient(client, { ...client, scopes: ['ledger:read', 'accounts:read'] })).toBe(true);
  for (const other of [{ name: 'Till' }, { userId: 'usr_2' }, { scopes: ['accounts:read'] as const }]) {
    expect(isSameClient(client, { ...client, ...other })).toBe(false);
  }
});

it('that does not exist has its own error', () => {
  expect(clientNotFound()).toEqual(new AuthError('API_CLIENT_NOT_FOUND', 'The API client does not exist.'));
});
