import { status } from '@grpc/grpc-js';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { Role, type UpdateUserRequest, type User, UserState } from '@payflowx/proto/auth';
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
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
let auth: AuthWithUsers;
let tokens: Awaited<ReturnType<typeof tokensOf>>;

beforeAll(async () => {
  auth = await startAuthWithUsers();
  tokens = await tokensOf(auth);
});
afterAll(() => auth?.stop());

const asAdmin = () => ({ deadlineMs, accessToken: tokens.admin });
const idOf = (token: string): string => createDecoder()(token).sub;

let made = 0;
async function newUser(...roles: Role[]): Promise<User> {
  made += 1;
  const wanted = newUserRequest({ username: `changed-${made}`, roles });
  return known((await auth.client.createUser(wanted, asAdmin())).user);
}

async function get(userId: string, accessToken = tokens.operator): Promise<User> {
  return known((await auth.client.getUser({ userId }, { deadlineMs, accessToken })).user);
}

async function update({ id, version }: User, changes: Partial<UpdateUserRequest>): Promise<User> {
  const request = { userId: id, expectedVersion: version, ...NO_CHANGE, ...changes };
  return known((await auth.client.updateUser(request, asAdmin())).user);
}

function known(user: User | undefined): User {
  if (!user) throw new Error('The response has no user.');
  return user;
}

describe('reading a user', () => {
  it('shows when the user last logged in', async () => {
    const user = await newUser(Role.CUSTOMER);
    expect(user).toMatchObject({ state: UserState.ENABLED, version: 1n, email: '', lastLoginAt: undefined });
    await auth.client.login({ username: user.username, password: PASSWORD }, { deadlineMs });
    const { lastLoginAt, ...rest } = await get(user.id);
    expect(lastLoginAt).toBeInstanceOf(Date);
    expect({ ...rest, lastLoginAt: undefined }).toEqual(user);
  });

  it('refuses an unknown id, and readers of other roles', async () => {
    const unknown = 'usr_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d';
    expect(await refusal(get(unknown))).toMatchObject({ code: status.NOT_FOUND, reason: 'USER_NOT_FOUND' });
    for (const role of ['customer', 'auditor'] as const) {
      expect(await refusal(get(unknown, tokens[role]))).toMatchObject({ code: status.PERMISSION_DENIED });
    }
  });
});

describe('changing a user', () => {
  it('changes only the given fields, and a changed address is not verified', async () => {
    const user = await newUser(Role.CUSTOMER);
    const reached = await update(user, { email: 'a@example.com', language: 'de-CH' });
    expect(reached).toEqual({ ...user, email: 'a@example.com', language: 'de-CH', version: 2n });
    // The confirmation of the address, as it is stored.
    const verified = { email_verified: true };
    await auth.db.updateTable('users').set(verified).where('id', '=', user.id).execute();
    const auditor = await update(reached, { roles: { roles: [Role.AUDITOR] } });
    expect(auditor).toEqual({ ...reached, roles: [Role.AUDITOR], emailVerified: true, version: 3n });
    const moved = await update(auditor, { email: 'b@example.com' });
    expect(moved).toMatchObject({ email: 'b@example.com', emailVerified: false, version: 4n });
    const removed = await update(moved, { email: '', language: '' });
    expect(removed).toMatchObject({ email: '', language: '', version: 5n });
    expect(await get(user.id)).toEqual(removed);
  });

  it('changes the admin’s id and metadata; a retry of the creation still returns what it asked for', async () => {
    const request = newUserRequest({
      requestId: 'r-1',
      username: 'noted',
      externalId: 'a',
      metadata: { one: '1' },
    });
    const user = known((await auth.client.createUser(request, asAdmin())).user);
    const changed = await update(user, { externalId: 'b', metadata: { two: '2' }, removedMetadata: ['one'] });
    expect(changed).toEqual({ ...user, externalId: 'b', metadata: { two: '2' }, version: 2n });
    expect(await update(changed, { removedMetadata: ['one'] })).toEqual(changed);
    expect(await update(changed, { externalId: '' })).toMatchObject({
      externalId: '',
      metadata: { two: '2' },
    });
    const { user: again } = await auth.client.createUser(request, asAdmin());
    expect(again).toMatchObject({ id: user.id, externalId: 'a', metadata: { one: '1' } });
  });

  it('needs the current version, and a change without effect makes no new one', async () => {
    const user = await newUser(Role.CUSTOMER);
    expect(await update(user, { roles: { roles: [Role.CUSTOMER] } })).toEqual(user);
    const both = await Promise.allSettled([
      update(user, { language: 'de' }),
      update(user, { language: 'fr' }),
    ]);
    expect(both.map((answer) => answer.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const stale = { code: status.ABORTED, reason: 'VERSION_MISMATCH' };
    expect(await refusal(update(user, { language: 'it' }))).toMatchObject(stale);
  });

  it('is recorded without the address', async () => {
    const user = await newUser(Role.CUSTOMER);
    await update(user, { email: 'secret@example.com', roles: { roles: [Role.AUDITOR] } });
    const filter = {
      pageSize: 1,
      pageToken: '',
      subjectId: user.id,
      actorId: idOf(tokens.admin),
      action: '',
    };
    const { records } = await auth.client.listIdentityAuditRecords(filter, asAdmin());
    expect(records).toMatchObject([{ action: 'user.updated' }]);
    expect(JSON.parse(records[0]?.detailsJson ?? '')).toEqual({
      roles: ['auditor'],
      changed: ['roles', 'email'],
    });
  });

  it.each<[string, Partial<UpdateUserRequest>, string]>([
    ['no role', { roles: { roles: [] } }, 'roles'],
    ['the role of services', { roles: { roles: [Role.SERVICE] } }, 'roles'],
    ['an address without a domain', { email: 'alice@' }, 'email'],
    ['an address with a line break', { email: 'a@example.com\nBcc: b@example.com' }, 'email'],
    ['metadata without a name', { metadata: { '': 'x' } }, 'metadata'],
    ['a language that is none', { language: 'German' }, 'language'],
  ])('refuses %s', async (_, changes, field) => {
    const user = await newUser(Role.CUSTOMER);
    const { code, message } = await refusal(update(user, changes));
    expect([code, message]).toEqual([status.INVALID_ARGUMENT, expect.stringContaining(field)]);
  });

  it('leaves the last operator and the last admin their roles, also if two lose them at once', async () => {
    const [operator, admin] = [await get(idOf(tokens.operator)), await get(idOf(tokens.admin))];
    const last = { code: status.FAILED_PRECONDITION, reason: 'LAST_OPERATOR' };
    const auditor = { roles: { roles: [Role.AUDITOR] } };
    expect(await refusal(update(operator, auditor))).toMatchObject(last);
    expect(await refusal(update(admin, auditor))).toMatchObject(last);
    // It cannot log in, so it takes the place of neither.
    const machine = newUserRequest({
      username: 'no-person',
      password: '',
      roles: [Role.OPERATOR, Role.ADMIN],
    });
    await auth.client.createUser(machine, asAdmin());
    expect(await refusal(update(operator, auditor))).toMatchObject(last);
    const second = await newUser(Role.OPERATOR);
    const answers = await Promise.allSettled([operator, second].map((user) => update(user, auditor)));
    expect(answers.map((answer) => answer.status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const left = [await get(operator.id, tokens.admin), await get(second.id, tokens.admin)];
    expect(left.filter((user) => user.roles.includes(Role.OPERATOR))).toHaveLength(1);
  });
});
