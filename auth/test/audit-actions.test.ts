/** Each change of a user's rights leaves one record: who did it, to whom, and with which result. */
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { Role, UserState } from '@payflowx/proto/auth';
import { createDecoder } from 'fast-jwt';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  type AuthWithUsers,
  NO_CHANGE,
  newUserRequest,
  PASSWORD,
  startAuthWithUsers,
  tokensOf,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
let auth: AuthWithUsers;
let admin: { id: string; call: { deadlineMs: number; accessToken: string } };

beforeAll(async () => {
  auth = await startAuthWithUsers();
  const { admin: accessToken } = await tokensOf(auth);
  admin = { id: createDecoder()(accessToken).sub, call: { deadlineMs, accessToken } };
});
// Codes of an authenticator app must not change because the machine is slow.
beforeEach(() => auth.stopClockAt(new Date()));
afterAll(() => auth?.stop());

let made = 0;
async function newUser() {
  made += 1;
  const wanted = newUserRequest({ username: `subject-${made}` });
  const { user } = await auth.client.createUser(wanted, admin.call);
  const id = user?.id ?? '';
  const login = async (password = PASSWORD) => {
    const { tokens } = await auth.client.login({ username: wanted.username, password }, { deadlineMs });
    const accessToken = tokens?.accessToken ?? '';
    return { call: { deadlineMs, accessToken }, sessionId: createDecoder()(accessToken).sid as string };
  };
  return { id, username: wanted.username, login };
}

/** The records about the user after its creation, oldest first. */
async function recordsOn(userId: string) {
  const filter = { pageSize: 100, pageToken: '', subjectId: userId, actorId: '', action: '' };
  const { records } = await auth.client.listIdentityAuditRecords(filter, admin.call);
  return records
    .toReversed()
    .slice(1)
    .map(({ action, actorId, detailsJson }) => [action, actorId, JSON.parse(detailsJson)]);
}

it('of sessions: ended by their user and by an admin, one and all', async () => {
  const user = await newUser();
  const [one, two, three] = [await user.login(), await user.login(), await user.login()];
  await auth.client.revokeSession({ sessionId: one.sessionId }, two.call);
  await auth.client.revokeUserSession({ userId: user.id, sessionId: two.sessionId }, admin.call);
  await auth.client.revokeAllSessions({}, three.call);
  await auth.client.revokeAllUserSessions({ userId: user.id }, admin.call);
  expect(await recordsOn(user.id)).toEqual([
    ['session.revoked', user.id, { session_id: one.sessionId }],
    ['session.revoked', admin.id, { session_id: two.sessionId }],
    ['sessions.revoked', user.id, {}],
    ['sessions.revoked', admin.id, {}],
  ]);
});

it('of second factors: created, confirmed, and removed by their user and by an admin', async () => {
  const user = await newUser();
  const { call } = await user.login();
  const make = async (name: string) => {
    const { factor, secret } = await auth.client.createSecondFactor({ kind: 'totp', name }, call);
    return { factorId: factor?.id ?? '', totp: new TOTP({ secret: Secret.fromBase32(secret) }) };
  };
  const { factorId, totp } = await make('Phone');
  const code = totp.generate({ timestamp: auth.now().getTime() });
  await auth.client.confirmSecondFactor({ factorId, code }, call);
  await auth.client.deleteSecondFactor({ factorId }, call);
  const other = await make('Tablet');
  await auth.client.deleteUserSecondFactors({ userId: user.id }, admin.call);
  // Nothing is left to remove.
  await auth.client.deleteUserSecondFactors({ userId: user.id }, admin.call);
  expect(await recordsOn(user.id)).toEqual([
    ['second_factor.created', user.id, { factor_id: factorId, kind: 'totp' }],
    ['second_factor.confirmed', user.id, { factor_id: factorId, kind: 'totp', name: 'Phone' }],
    ['second_factor.removed', user.id, { factor_id: factorId }],
    ['second_factor.created', user.id, { factor_id: other.factorId, kind: 'totp' }],
    ['second_factor.removed', admin.id, { factor_id: 'all' }],
  ]);
});

it('of passwords and of the state, the roles and the language of a user', async () => {
  const user = await newUser();
  const { call } = await user.login();
  const newPassword = 'another good password';
  await auth.client.changePassword({ currentPassword: PASSWORD, newPassword }, call);
  const { oneTimePassword } = await auth.client.resetPassword({ userId: user.id }, admin.call);
  await auth.client.replaceOneTimePassword(
    { username: user.username, oneTimePassword, newPassword: PASSWORD },
    { deadlineMs },
  );
  for (const state of [UserState.DISABLED, UserState.DISABLED, UserState.ENABLED])
    await auth.client.changeUserState({ userId: user.id, state }, admin.call);
  const changes = { ...NO_CHANGE, roles: { roles: [Role.AUDITOR] }, language: 'de' };
  await auth.client.updateUser({ userId: user.id, expectedVersion: 3n, ...changes }, admin.call);
  expect(await recordsOn(user.id)).toEqual([
    ['user.password_changed', user.id, {}],
    ['user.password_reset', admin.id, {}],
    ['user.password_changed', user.id, {}],
    ['user.disabled', admin.id, { roles: ['customer'] }],
    ['user.enabled', admin.id, { roles: ['customer'] }],
    ['user.updated', admin.id, { roles: ['auditor'], changed: ['roles', 'language'] }],
  ]);
});
