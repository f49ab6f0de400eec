import { describe, expect, it } from 'vitest';
import { AuthError } from './errors.ts';
import { createdUser, type User } from './user.ts';
import {
  changedFields,
  changeUserState,
  dutiesLost,
  lastHolder,
  requireUserUpdate,
  type UserUpdate,
  updateUser,
} from './user-changes.ts';

const made = {
  ...{ id: 'usr_1', username: 'alice', roles: ['customer'] as const, createdAt: new Date(0) },
  ...{ hasPassword: true, externalId: 'c-1', metadata: { desk: '7' } },
};
const user: User = {
  ...createdUser(made),
  email: 'a@example.org',
  emailVerified: true,
  language: 'de',
  version: 3n,
};
const KEPT: UserUpdate = {
  ...{ roles: undefined, email: undefined, language: undefined },
  ...{ externalId: undefined, metadata: {}, removedMetadata: [] },
};

it('a new user is enabled, without an address and a second factor', () => {
  expect(createdUser(made)).toEqual({
    ...made,
    email: null,
    emailVerified: false,
    language: null,
    state: 'enabled',
    version: 1n,
    lastLoginAt: null,
    hasSecondFactor: false,
  });
});

describe('an update', () => {
  it.each<[Partial<UserUpdate>, Partial<User>]>([
    [{ roles: ['operator', 'customer'] }, { roles: ['customer', 'operator'] }],
    [{ email: 'b@example.org' }, { email: 'b@example.org', emailVerified: false }],
    [{ email: '' }, { email: null, emailVerified: false }],
    [{ language: 'en' }, { language: 'en' }],
    [{ language: '' }, { language: null }],
    [{ externalId: 'c-2' }, { externalId: 'c-2' }],
    [{ externalId: '' }, { externalId: '' }],
    [{ metadata: { shelf: '3' } }, { metadata: { desk: '7', shelf: '3' } }],
    [{ removedMetadata: ['desk'] }, { metadata: {} }],
  ])('%j changes %j, and increases the version', (change, expected) => {
    expect(updateUser(user, { ...KEPT, ...change }, 3n)).toEqual({ ...user, ...expected, version: 4n });
  });

  it('to the same values returns the same user', () => {
    expect(updateUser(user, KEPT, 3n)).toBe(user);
    const same = { roles: ['customer'], email: 'a@example.org', language: 'de' };
    expect(updateUser(user, { ...KEPT, ...same }, 3n)).toBe(user);
    const noted = { externalId: 'c-1', metadata: { desk: '7' }, removedMetadata: ['shelf'] };
    expect(updateUser(user, { ...KEPT, ...noted }, 3n)).toBe(user);
    const bare = { ...user, email: null, language: null };
    expect(updateUser(bare, { ...KEPT, email: '', language: '' }, 3n)).toBe(bare);
  });

  it('does not verify an address', () => {
    const unverified = { ...user, emailVerified: false };
    expect(updateUser(unverified, { ...KEPT, language: 'en' }, 3n).emailVerified).toBe(false);
  });

  it('of another version is refused, with the version', () => {
    for (const expected of [2n, 4n])
      expect(() => updateUser(user, KEPT, expected)).toThrow(
        expect.objectContaining({
          reason: 'VERSION_MISMATCH',
          message: 'The user was changed in the meantime.',
          metadata: { version: '3' },
        }),
      );
  });
});

it('an update to more than 20 pairs of metadata is refused, the kept ones counted', () => {
  const metadata = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, 'v']));
  const message = 'metadata must have at most 20 pairs.';
  expect(() => updateUser(user, { ...KEPT, metadata }, 3n)).toThrow(message);
  const exchanged = updateUser(user, { ...KEPT, metadata, removedMetadata: ['desk'] }, 3n);
  expect(Object.keys(exchanged.metadata)).toHaveLength(20);
});

it('names the changed fields as the contract does', () => {
  const changed: User = { ...user, email: null, externalId: '', metadata: {}, language: 'fr', roles: [] };
  expect(changedFields(user, user)).toEqual([]);
  expect(changedFields(user, changed)).toEqual(['roles', 'email', 'language', 'external_id', 'metadata']);
});

describe('the request of an update', () => {
  it.each<Partial<UserUpdate>>([
    {},
    { roles: ['customer'] },
    { email: '' },
    { email: 'a@b' },
    { email: `${'x'.repeat(64)}@${'y'.repeat(189)}` },
    { language: '' },
    { language: 'en' },
    { language: 'de-CH' },
    { language: 'zh-Hant-TW' },
    { language: 'es-419' },
  ])('may be %j', (update) => expect(() => requireUserUpdate({ ...KEPT, ...update })).not.toThrow());

  const ADDRESS = 'email must be an e-mail address of at most 254 characters.';
  const TAG = 'language must be a language tag such as en or de-CH.';
  it.each<[Partial<UserUpdate>, string]>([
    [{ roles: [] }, 'roles must be roles of users.'],
    [{ roles: ['customer', 'service'] }, 'roles must be roles of users.'],
    [{ email: 'a' }, ADDRESS],
    [{ email: '@b' }, ADDRESS],
    [{ email: 'a@' }, ADDRESS],
    [{ email: 'a@b@c' }, ADDRESS],
    [{ email: 'a b@c' }, ADDRESS],
    [{ email: 'a@b c' }, ADDRESS],
    [{ email: 'a@b\nc' }, ADDRESS],
    [{ email: 'a@b\u0007' }, ADDRESS],
    [{ email: '\u0007@b' }, ADDRESS],
    [{ email: `${'x'.repeat(65)}@b` }, ADDRESS],
    [{ email: `${'x'.repeat(64)}@${'y'.repeat(190)}` }, ADDRESS],
    [{ language: 'e' }, TAG],
    [{ language: 'EN' }, TAG],
    [{ language: 'en-' }, TAG],
    [{ language: 'en-us' }, TAG],
    [{ language: 'xen' + 'g' }, TAG],
    [{ language: 'en-US-x' }, TAG],
    [{ language: 'zh-hant' }, TAG],
    [{ externalId: 'x'.repeat(101) }, 'external_id must be at most 100 characters.'],
    [{ metadata: { '': 'x' } }, 'metadata keys must be 1 to 40 characters, none of them NUL.'],
  ])('may not be %j', (update, message) => {
    expect(() => requireUserUpdate({ ...KEPT, ...update })).toThrow(message);
  });

  it('is refused with all violations', () => {
    expect(() => requireUserUpdate({ ...KEPT, roles: [], email: 'a', language: '?' })).toThrow(
      expect.objectContaining({ violations: [expect.anything(), expect.anything(), expect.anything()] }),
    );
  });
});

it('a change of state increases the version, and the same state changes nothing', () => {
  expect(changeUserState(user, 'disabled')).toEqual({ ...user, state: 'disabled', version: 4n });
  expect(changeUserState(user, 'enabled')).toBe(user);
});

describe('the duties that a change takes away', () => {
  const both: User = { ...user, roles: ['operator', 'admin'] };
  it.each<[string, User, User, string[]]>([
    ['a disabled user loses all', both, { ...both, state: 'disabled' }, ['operator', 'admin']],
    ['one role', both, { ...both, roles: ['admin'] }, ['operator']],
    ['the other role', both, { ...both, roles: ['operator', 'customer'] }, ['admin']],
    ['none', both, { ...both, email: null }, []],
    [
      'a user that was disabled had none',
      { ...both, state: 'disabled' },
      { ...both, state: 'disabled', roles: [] },
      [],
    ],
    ['a customer has none', user, { ...user, state: 'disabled' }, []],
    ['a new duty is no loss', user, both, []],
    ['a user who cannot log in has none', { ...both, hasPassword: false }, user, []],
  ])('%s', (_, before, after, lost) => expect(dutiesLost(before, after)).toEqual(lost));

  it('are refused if no other user has them', () => {
    expect(lastHolder('admin')).toEqual(
      new AuthError('LAST_OPERATOR', 'This is the last enabled user with the role admin.', {
        metadata: { role: 'admin' },
      }),
    );
  });
});
