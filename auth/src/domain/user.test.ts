import { describe, expect, it } from 'vitest';
import { AuthError } from './errors.ts';
import {
  haveSameRoles,
  isUserId,
  newUser,
  requireLoginPassword,
  requireRequestId,
  userRoles,
} from './user.ts';

const none = { externalId: '', metadata: {} };
const good = { ...none, username: 'alice', password: 'correct horse', roles: ['customer'] };

describe('a new user', () => {
  it('has each role once and in one order', () => {
    const roles = ['operator', 'customer', 'operator'];
    expect(newUser({ ...good, roles }).roles).toEqual(['customer', 'operator']);
  });

  it('is refused with all violations', () => {
    const wrong = () => newUser({ ...none, username: 'a', password: 'short', roles: [] });
    expect(wrong).toThrow(AuthError);
    try {
      wrong();
    } catch (error) {
      const fields = (error as AuthError).violations?.map(({ field }) => field);
      expect(fields).toEqual(['username', 'password', 'roles']);
    }
  });

  it.each(['service', 'root', ''])('cannot be %j', (role) => {
    expect(() => newUser({ ...good, roles: ['customer', role] })).toThrow(/roles/);
  });

  it.each(['ab', 'a b c', 'ärger', 'a'.repeat(65), 'new\nline', 'nul\0'])(
    'cannot be named %j',
    (username) => {
      expect(() => newUser({ ...good, username })).toThrow(/username/);
    },
  );
});

it('a new user may have no password', () => {
  expect(newUser({ ...good, password: undefined }).password).toBeUndefined();
});

it('compares roles in any order', () => {
  expect(haveSameRoles(['customer', 'auditor'], ['auditor', 'customer'])).toBe(true);
  expect(haveSameRoles(['customer'], ['auditor', 'customer'])).toBe(false);
});

it.each<[object, string]>([
  [{ username: 'a' }, 'username must be 3 to 64 characters: letters, digits, dot, dash, underscore.'],
  [{ password: 'x'.repeat(11) }, 'password must be 12 to 256 characters long.'],
  [{ password: 'x'.repeat(257) }, 'password must be 12 to 256 characters long.'],
  [{ externalId: 'x'.repeat(101) }, 'external_id must be at most 100 characters.'],
  [{ metadata: { a: 'x'.repeat(501) } }, 'metadata.a must be at most 500 characters.'],
  [{ password: '' }, 'password must be 12 to 256 characters long.'],
  [{ roles: ['root'] }, 'roles must be at least one of auditor, customer, operator, admin.'],
])('says what is wrong with %j', (changed, message) => {
  expect(() => newUser({ ...good, ...changed })).toThrow(message);
});

it.each([12, 256])('a password of %i characters is taken', (length) => {
  const password = 'qv7 mxl2 pzt9 '.repeat(20).slice(0, length);
  expect(newUser({ ...good, password }).password).toBe(password);
});

it('at login a password may be short, and is limited', () => {
  for (const password of ['x', 'x'.repeat(256)]) expect(() => requireLoginPassword(password)).not.toThrow();
  for (const password of ['', 'x'.repeat(257)]) {
    expect(() => requireLoginPassword(password)).toThrow('password must be 1 to 256 characters long.');
  }
});

it('a request id is visible ASCII, or empty', () => {
  for (const id of ['', 'a', '~'.repeat(255)]) expect(() => requireRequestId(id)).not.toThrow();
  for (const id of ['a b', ' a', 'ä', 'a\n', 'a'.repeat(256)]) {
    expect(() => requireRequestId(id)).toThrow('request_id must be at most 255 visible ASCII characters.');
  }
});

it('knows the id of a user, and its roles', () => {
  const id = 'usr_0198c5b2-7a30-7c41-9d52-0123456789ab';
  expect(isUserId(id)).toBe(true);
  expect([`x${id}`, `${id}x`, 'usr_1', id.toUpperCase(), 'usr_a'].some(isUserId)).toBe(false);
  expect(userRoles(['admin', 'auditor'])).toEqual(['auditor', 'admin']);
});
