import { IDENTITY_ACTIONS, type IdentityAction } from '@payflowx/proto/vocabulary';
import { expect, it } from 'vitest';
import { securityChangeOf } from './security-changes.ts';

const of = (action: IdentityAction, details: Record<string, unknown> = {}) =>
  securityChangeOf({ action, subjectId: 'usr_1', details });

it.each<[IdentityAction, Record<string, unknown>, object]>([
  ['user.updated', { password_reset: true }, { kind: 'password_reset', subjectName: '' }],
  ['user.password_reset', {}, { kind: 'password_reset', subjectName: '' }],
  ['user.password_changed', {}, { kind: 'password_changed', subjectName: '' }],
  ['second_factor.confirmed', { name: 'phone' }, { kind: 'second_factor_added', subjectName: 'phone' }],
  ['second_factor.confirmed', {}, { kind: 'second_factor_added', subjectName: '' }],
  ['second_factor.removed', { name: 'phone' }, { kind: 'second_factor_removed', subjectName: 'phone' }],
  ['second_factor.removed', { all: true }, { kind: 'second_factor_removed', subjectName: '' }],
])('%s with %j is announced to its user', (action, details, change) => {
  expect(of(action, details)).toEqual({ userId: 'usr_1', ...change });
});

it('a new API client is announced to the user that it acts for, and to no user if it acts for none', () => {
  const details = { user_id: 'usr_2', name: 'Shop' };
  expect(securityChangeOf({ action: 'client.created', subjectId: 'cli_1', details })).toEqual({
    userId: 'usr_2',
    kind: 'api_client_created',
    subjectName: 'Shop',
  });
  expect(of('client.created', { name: 'ledger' })).toBeUndefined();
});

it('nothing else is announced', () => {
  const silent = IDENTITY_ACTIONS.filter(
    (action) => of(action, { password_reset: false, name: 'x' }) === undefined,
  );
  expect(silent).toEqual([
    'user.created',
    'user.updated',
    'user.disabled',
    'user.enabled',
    'session.revoked',
    'sessions.revoked',
    'second_factor.created',
    'user.email_confirmed',
    'client.created',
    'client.updated',
    'client.revoked',
    'client.secret_rotated',
    'client.secret_removed',
    'client.key_added',
    'client.key_removed',
    'key.rotated',
  ]);
});
