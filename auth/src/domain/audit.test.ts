import { IDENTITY_ACTIONS } from '@payflowx/proto/vocabulary';
import { expect, it } from 'vitest';
import { AUTH, COMMAND, isIdentityAction } from './audit.ts';

it('knows its actions, and the authors that are no user', () => {
  expect(IDENTITY_ACTIONS.every(isIdentityAction)).toBe(true);
  expect(['', 'user', 'user.deleted', 'USER.CREATED'].some(isIdentityAction)).toBe(false);
  expect([COMMAND, AUTH]).toEqual([
    { callerId: 'command', traceId: '' },
    { callerId: 'auth', traceId: '' },
  ]);
});
