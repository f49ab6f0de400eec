import { expect, it } from 'vitest';
import { standingOf } from './factor-policy.ts';
import type { UserRole } from './user.ts';

const POLICY: UserRole[] = ['operator', 'auditor'];

it.each<[string, UserRole[], boolean, boolean, string]>([
  ['another role', ['customer'], false, false, 'full'],
  ['a role that needs a factor, and none yet', ['operator'], false, false, 'setup'],
  ['such a role among others', ['customer', 'auditor'], false, false, 'setup'],
  ['a factor, used in this session', ['operator'], true, true, 'full'],
  ['a factor, not used in this session', ['operator'], true, false, 'log-in-again'],
  ['a factor that an admin removed after this session used it', ['operator'], false, true, 'full'],
])('a user with %s', (_, roles, hasSecondFactor, secondFactor, standing) => {
  expect(standingOf({ roles, hasSecondFactor }, { secondFactor }, POLICY)).toBe(standing);
  expect(standingOf({ roles, hasSecondFactor }, { secondFactor }, [])).toBe('full');
});
