import { describe, expect, it } from 'vitest';
import { AuthError } from './errors.ts';
import { haveSameRoles, newUser } from './user.ts';

const good = { username: 'alice', password: 'correct horse', roles: ['customer'] };

describe('a new user', () => {
  it('has each role once and in one order', () => {
    const roles = ['operator', 'customer', 'operator'];
    expect(newUser({ ...good, roles }).roles).toEqual(['customer', 'operator']);
  });

  it('is refused with all violations', () => {
    const wrong = () => newUser({ username: 'a', password: 'short', roles: [] });
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

it('compares roles in any order', () => {
  expect(haveSameRoles(['customer', 'auditor'], ['auditor', 'customer'])).toBe(true);
  expect(haveSameRoles(['customer'], ['auditor', 'customer'])).toBe(false);
});
