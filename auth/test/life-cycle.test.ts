/** Passwords, sessions and the state of users, from the outside. */
import { status } from '@grpc/grpc-js';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { Role, type User, UserState } from '@payflowx/proto/auth';
import { createDecoder } from 'fast-jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuthWithUsers,
  NO_CHANGE,
  newUserRequest,
  PASSWORD,
  refusal,
  startAuthWithUsers,
  tokensOf,
  withSecret,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
const NEW_PASSWORD = 'another good password';
const wrong = { code: status.UNAUTHENTICATED, reason: 'INVALID_CREDENTIALS' };
const ended = { code: status.UNAUTHENTICATED, reason: 'INVALID_REFRESH_TOKEN' };
let auth: AuthWithUsers;
let tokens: Awaited<ReturnType<typeof tokensOf>>;

beforeAll(async () => {
  auth = await startAuthWithUsers();
  tokens = await tokensOf(auth);
});
afterAll(() => auth?.stop());

const as = (accessToken: string) => ({ deadlineMs, accessToken });
const asAdmin = () => as(tokens.admin);

let made = 0;
async function newUser(...roles: Role[]): Promise<User> {
  made += 1;
  const wanted = newUserRequest({ username: `user-${made}`, roles });
  const { user } = await auth.client.createUser(wanted, asAdmin());
  return user as User;
}

async function login({ username }: User, password = PASSWORD) {
  const { tokens: pair } = await auth.client.login({ username, password }, { deadlineMs });
  return { access: pair?.accessToken ?? '', refresh: pair?.refreshToken ?? '' };
}
const refresh = (refreshToken: string) =>
  auth.client.refreshTokens({ refreshToken, requestId: '' }, { deadlineMs });
const sessionIdOf = (access: string): string => createDecoder()(access).sid;

/** Resolves when the token is refused. It is, within seconds. */
async function expectRevoked(access: string): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await refusal(auth.client.getMe({}, as(access))).catch(() => undefined);
    if (answer?.code === status.UNAUTHENTICATED) return;
    if (Date.now() > until) throw new Error('The token is still accepted.');
  }
}

const actionsOn = async ({ id }: User) => {
  const filter = { pageSize: 100, pageToken: '', subjectId: id, actorId: '', action: '' };
  const { records } = await auth.client.listIdentityAuditRecords(filter, asAdmin());
  return records.map(({ action }) => action);
};

describe('changing the own password', () => {
  const change = (access: string, currentPassword = PASSWORD, newPassword = NEW_PASSWORD) =>
    auth.client.changePassword({ currentPassword, newPassword }, as(access));

  it('ends the other sessions, keeps this one, and is recorded', async () => {
    const user = await newUser(Role.CUSTOMER);
    const [here, elsewhere] = [await login(user), await login(user)];
    await change(here.access);
    expect(await refusal(refresh(elsewhere.refresh))).toMatchObject(ended);
    await expectRevoked(elsewhere.access);
    await auth.client.getMe({}, as(here.access));
    await refresh(here.refresh);
    expect(await refusal(login(user))).toMatchObject(wrong);
    await login(user, NEW_PASSWORD);
    expect(await actionsOn(user)).toEqual(['user.password_changed', 'user.created']);
  });

  it('is throttled, and does not delay logins', async () => {
    const user = await newUser(Role.CUSTOMER);
    const { access } = await login(user);
    const reasons = [];
    for (let guess = 0; guess < 6; guess += 1) {
      reasons.push((await refusal(change(access, 'a wrong password'))).reason);
    }
    expect(reasons).toEqual([...Array(5).fill('INVALID_CREDENTIALS'), 'TOO_MANY_LOGINS']);
    await login(user);
  });

  it('has one winner of two concurrent changes', async () => {
    const user = await newUser(Role.CUSTOMER);
    const { access } = await login(user);
    const wanted = ['first good password', 'second good password'];
    const answers = await Promise.allSettled(wanted.map((password) => change(access, PASSWORD, password)));
    const winner = wanted[answers.findIndex((answer) => answer.status === 'fulfilled')] ?? '';
    expect(answers.map((answer) => answer.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    await login(user, winner);
  });

  it('refuses a short password and the same one', async () => {
    const { access } = await login(await newUser(Role.CUSTOMER));
    for (const password of ['short', PASSWORD]) {
      const { code, message } = await refusal(change(access, PASSWORD, password));
      expect([code, message]).toEqual([status.INVALID_ARGUMENT, expect.stringContaining('new_password')]);
    }
  });
});

describe('a reset of the password', () => {
  const replace = (username: string, oneTimePassword: string, newPassword = NEW_PASSWORD) =>
    auth.client.replaceOneTimePassword({ username, oneTimePassword, newPassword }, { deadlineMs });

  it('ends all sessions; the one-time password only lets the user choose a new one, once', async () => {
    const user = await newUser(Role.CUSTOMER);
    const before = await login(user);
    const { oneTimePassword } = await auth.client.resetPassword({ userId: user.id }, asAdmin());
    expect(await refusal(refresh(before.refresh))).toMatchObject(ended);
    await expectRevoked(before.access);
    expect(await refusal(login(user))).toMatchObject(wrong);
    const required = { code: status.FAILED_PRECONDITION, reason: 'PASSWORD_CHANGE_REQUIRED' };
    expect(await refusal(login(user, oneTimePassword))).toMatchObject(required);

    expect(await refusal(replace(user.username, 'a wrong password'))).toMatchObject(wrong);
    await replace(user.username, oneTimePassword);
    expect(await refusal(replace(user.username, oneTimePassword))).toMatchObject(wrong);
    await login(user, NEW_PASSWORD);
    expect(await actionsOn(user)).toEqual(['user.password_changed', 'user.password_reset', 'user.created']);
  });

  it('is not for users whose password is their own, nor for unknown names', async () => {
    const user = await newUser(Role.CUSTOMER);
    expect(await refusal(replace(user.username, PASSWORD))).toMatchObject(wrong);
    expect(await refusal(replace('nobody', PASSWORD))).toMatchObject(wrong);
  });

  it('expires', async () => {
    const user = await newUser(Role.CUSTOMER);
    const { oneTimePassword, expiresAt } = await auth.client.resetPassword({ userId: user.id }, asAdmin());
    const expired = { one_time_until: auth.now() };
    expect(expiresAt?.getTime()).toBeGreaterThan(expired.one_time_until.getTime());
    await auth.db.updateTable('users').set(expired).where('id', '=', user.id).execute();
    expect(await refusal(login(user, oneTimePassword))).toMatchObject(wrong);
    expect(await refusal(replace(user.username, oneTimePassword))).toMatchObject(wrong);
  });
});

describe('disabling a user', () => {
  const changeState = (userId: string, state: UserState) =>
    auth.client.changeUserState({ userId, state }, asAdmin());

  it('ends its sessions and the tokens of its machines; enabling lets it log in again', async () => {
    const user = await newUser(Role.CUSTOMER);
    const session = await login(user);
    const wanted = { requestId: '', name: 'Shop', userId: user.id, scopes: ['payments:read'] };
    const machine = await auth.client.createApiClient(wanted, asAdmin());
    const credentials = withSecret(machine.client?.id ?? '', machine.clientSecret);
    const { accessToken } = await auth.client.loginClient(credentials, { deadlineMs });

    const { user: disabled } = await changeState(user.id, UserState.DISABLED);
    expect(disabled).toMatchObject({ state: UserState.DISABLED, version: 2n });
    expect((await changeState(user.id, UserState.DISABLED)).user).toEqual(disabled);
    expect(await refusal(login(user))).toMatchObject(wrong);
    expect(await refusal(auth.client.loginClient(credentials, { deadlineMs }))).toMatchObject(wrong);
    expect(await refusal(refresh(session.refresh))).toMatchObject(ended);
    await expectRevoked(session.access);
    await expectRevoked(accessToken);

    await changeState(user.id, UserState.ENABLED);
    expect(await refusal(refresh(session.refresh))).toMatchObject(ended);
    const again = await login(user);
    await auth.client.getMe({}, as(again.access));
    await auth.client.loginClient(credentials, { deadlineMs });
    expect(await actionsOn(user)).toEqual(['user.enabled', 'user.disabled', 'user.created']);
  });

  it('has one winner when the last two operators are disabled at once', async () => {
    const second = await newUser(Role.OPERATOR);
    const first: string = createDecoder()(tokens.operator).sub;
    const both = [first, second.id].map((id) => changeState(id, UserState.DISABLED));
    const answers = await Promise.allSettled(both);
    expect(answers.map((answer) => answer.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = answers.find((answer) => answer.status === 'rejected');
    expect(refused?.reason).toMatchObject({ reason: 'LAST_OPERATOR' });
    for (const id of [first, second.id]) await changeState(id, UserState.ENABLED);
  });
});

describe('a changed role', () => {
  it('revokes the tokens with the old roles; the session goes on with the new ones', async () => {
    const user = await newUser(Role.OPERATOR);
    const { access, refresh: token } = await login(user);
    const changes = { ...NO_CHANGE, roles: { roles: [Role.CUSTOMER] } };
    await auth.client.updateUser({ userId: user.id, expectedVersion: 1n, ...changes }, asAdmin());
    await expectRevoked(access);
    const { tokens: pair } = await refresh(token);
    expect(createDecoder()(pair?.accessToken ?? '')).toMatchObject({ roles: ['customer'] });
    await auth.client.getMe({}, as(pair?.accessToken ?? ''));
  });
});

describe('sessions', () => {
  const list = async (access: string) =>
    (await auth.client.listSessions({ pageSize: 0, pageToken: '' }, as(access))).sessions;

  it('are listed for their user, who ends one of them', async () => {
    const user = await newUser(Role.CUSTOMER);
    const [old, here] = [await login(user), await login(user)];
    const sessions = await list(here.access);
    expect(sessions.map(({ id, current }) => [id, current])).toEqual([
      [sessionIdOf(here.access), true],
      [sessionIdOf(old.access), false],
    ]);
    const request = { sessionId: sessionIdOf(old.access) };
    await auth.client.revokeSession(request, as(here.access));
    await auth.client.revokeSession(request, as(here.access));
    await expectRevoked(old.access);
    expect(await refusal(refresh(old.refresh))).toMatchObject(ended);
    expect(await list(here.access)).toHaveLength(1);
    const { access: stranger } = await login(await newUser(Role.CUSTOMER));
    const theirs = auth.client.revokeSession({ sessionId: sessionIdOf(here.access) }, as(stranger));
    expect(await refusal(theirs)).toMatchObject({ code: status.NOT_FOUND, reason: 'SESSION_NOT_FOUND' });
  });

  it('end all at once, or by logout, or by an admin', async () => {
    const user = await newUser(Role.CUSTOMER);
    const [one, two] = [await login(user), await login(user)];
    await auth.client.revokeAllSessions({}, as(one.access));
    for (const { access, refresh: token } of [one, two]) {
      await expectRevoked(access);
      expect(await refusal(refresh(token))).toMatchObject(ended);
    }
    const [three, four, five] = [await login(user), await login(user), await login(user)];
    await auth.client.logout({ refreshToken: three.refresh }, { deadlineMs });
    await expectRevoked(three.access);
    const sessionId = sessionIdOf(four.access);
    await auth.client.revokeUserSession({ userId: user.id, sessionId }, asAdmin());
    await expectRevoked(four.access);
    const request = { pageSize: 0, pageToken: '', userId: user.id };
    const { sessions } = await auth.client.listUserSessions(request, asAdmin());
    expect(sessions.map(({ id }) => id)).toEqual([sessionIdOf(five.access)]);
    await auth.client.revokeAllUserSessions({ userId: user.id }, asAdmin());
    await expectRevoked(five.access);
  });
});

it('revokes the tokens of a revoked API client', async () => {
  const user = await newUser(Role.CUSTOMER);
  const wanted = { requestId: '', name: 'Shop', userId: user.id, scopes: ['audit:read'] };
  const { client, clientSecret } = await auth.client.createApiClient(wanted, asAdmin());
  const credentials = withSecret(client?.id ?? '', clientSecret);
  const { accessToken } = await auth.client.loginClient(credentials, { deadlineMs });
  await auth.client.revokeApiClient({ clientId: credentials.clientId }, asAdmin());
  await expectRevoked(accessToken);
});
