import { describe, expect, it } from 'vitest';
import { AuthError } from './errors.ts';
import { createdUser, type User } from './user.ts';
import {
  changeUserState,
  dutiesLost,
  lastHolder,
  requireUserUpdate,
  type UserUpdate,
  updateUser,
} from './user-changes.ts';

const user: User = {
  ...createdUser({ id: 'usr_1', username: 'alice', roles: ['customer'], createdAt: new Date(0) }),
  email: 'a@example.org',
  emailVerified: true,
  language: 'de',
  version: 3n,
};
const KEPT: UserUpdate = { roles: undefined, email: undefined, language: undefined };

it('a new user is enabled, without an address and a second factor', () => {
  const made = { id: 'usr_1', username: 'alice', roles: ['customer'] as const, createdAt: new Date(0) };
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
  ])('%j changes %j, and increases the version', (change, expected) => {
    expect(updateUser(user, { ...KEPT, ...change }, 3n)).toEqual({ ...user, ...expected, version: 4n });
  });

  it('to the same values returns the same user', () => {
    expect(updateUser(user, KEPT, 3n)).toBe(user);
    const same = { roles: ['customer'], email: 'a@example.org', language: 'de' };
    expect(updateUser(user, same, 3n)).toBe(user);
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
  ])('may not be %j', (update, message) => {
    expect(() => requireUserUpdate({ ...KEPT, ...update })).toThrow(message);
  });

  it('is refused with all violations', () => {
    expect(() => requireUserUpdate({ roles: [], email: 'a', language: '?' })).toThrow(
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
  ])('%s', (_, before, after, lost) => expect(dutiesLost(before, after)).toEqual(lost));

  it('are refused if no other user has them', () => {
    expect(lastHolder('admin')).toEqual(
      new AuthError('LAST_OPERATOR', 'This is the last enabled user with the role admin.', {
        metadata: { role: 'admin' },
      }),
    );
  });
});
