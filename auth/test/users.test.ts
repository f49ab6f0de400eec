import { status } from '@grpc/grpc-js';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { type CreateUserRequest, Role, UserState } from '@payflowx/proto/auth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AuthWithUsers, newUserRequest, PASSWORD, refusal, startAuthWithUsers } from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
let auth: AuthWithUsers;
let admin: string;

beforeAll(async () => {
  auth = await startAuthWithUsers();
  admin = await tokenOf('admin');
});
afterAll(() => auth?.stop());

async function tokenOf(username: string): Promise<string> {
  const { tokens } = await auth.client.login({ username, password: PASSWORD }, { deadlineMs });
  return tokens?.accessToken ?? '';
}

const dora = newUserRequest({ username: 'dora' });

async function create(request: Partial<CreateUserRequest>, accessToken: string | undefined = admin) {
  return (await auth.client.createUser({ ...dora, ...request }, { deadlineMs, accessToken })).user;
}

describe('creating a user', () => {
  it('creates one that can log in', async () => {
    const user = await create({ username: 'Erika', roles: [Role.OPERATOR, Role.CUSTOMER, Role.CUSTOMER] });
    expect(user).toMatchObject({ username: 'Erika', roles: [Role.CUSTOMER, Role.OPERATOR] });
    await tokenOf('erika');
  });

  it('is for admins only; operators may list users, to open their accounts', async () => {
    for (const role of ['customer', 'auditor', 'operator']) {
      const accessToken = await tokenOf(role);
      expect(await refusal(create({}, accessToken))).toMatchObject({ code: status.PERMISSION_DENIED });
      const list = auth.client.listUsers({ pageSize: 0, pageToken: '' }, { deadlineMs, accessToken });
      if (role === 'operator') await list;
      else expect(await refusal(list)).toMatchObject({ code: status.PERMISSION_DENIED });
    }
    const nobody = auth.client.createUser(dora, { deadlineMs });
    expect(await refusal(nobody)).toMatchObject({ code: status.UNAUTHENTICATED });
  });

  it('refuses a name that differs only by case', async () => {
    await create({ username: 'frida' });
    expect(await refusal(create({ username: 'FRIDA' }))).toMatchObject({
      code: status.ALREADY_EXISTS,
      reason: 'USERNAME_TAKEN',
    });
  });

  it('returns the first response to a retry with the same request id', async () => {
    const request = { requestId: 'r-1', username: 'gerd', roles: [Role.AUDITOR, Role.CUSTOMER] };
    const first = await create(request);
    expect(await create({ ...request, roles: [Role.CUSTOMER, Role.AUDITOR] })).toEqual(first);
    const reused = { code: status.ALREADY_EXISTS, reason: 'REQUEST_ID_REUSED' };
    expect(await refusal(create({ ...request, username: 'hans' }))).toMatchObject(reused);
    expect(await refusal(create({ ...request, roles: [Role.OPERATOR] }))).toMatchObject(reused);
    // A success would suggest that the password works.
    const password = 'another good password';
    expect(await refusal(create({ ...request, password }))).toMatchObject(reused);
    expect(await create(request)).toEqual(first);
  });

  it('accepts one of two passwords that come with one request id at once', async () => {
    const request = { requestId: 'r-4', username: 'karl' };
    const passwords = Array.from({ length: 4 }, (_, index) => `${PASSWORD} ${index % 2}`);
    const answers = await Promise.allSettled(passwords.map((password) => create({ ...request, password })));
    const winner = passwords.find((_, index) => answers[index]?.status === 'fulfilled') ?? '';
    const expected = passwords.map((password) => (password === winner ? 'fulfilled' : 'rejected'));
    expect(answers.map((answer) => answer.status)).toEqual(expected);
    await auth.client.login({ username: 'karl', password: winner }, { deadlineMs });
  });

  it('keeps the request ids of two admins apart', async () => {
    await create({ username: 'admin-2', roles: [Role.ADMIN] });
    const other = await tokenOf('admin-2');
    const one = await create({ requestId: 'r-5', username: 'lena' });
    const two = await create({ requestId: 'r-5', username: 'mona' }, other);
    expect([one?.username, two?.username]).toEqual(['lena', 'mona']);
    expect(await create({ requestId: 'r-5', username: 'lena' })).toEqual(one);
  });

  it('creates one user for many concurrent requests with one id', async () => {
    const request = { requestId: 'r-2', username: 'inge' };
    const users = await Promise.all(Array.from({ length: 8 }, () => create(request)));
    expect(new Set(users.map((user) => user?.id)).size).toBe(1);
  });

  it('does not keep a request id if no user was created', async () => {
    const request = { requestId: 'r-3', username: 'customer' };
    expect(await refusal(create(request))).toMatchObject({ reason: 'USERNAME_TAKEN' });
    expect(await create({ ...request, username: 'jens' })).toMatchObject({ username: 'jens' });
  });

  it('creates one without a password, which cannot log in until an admin resets it', async () => {
    const request = { requestId: 'r-6', username: 'machine', password: '' };
    const user = await create(request);
    expect(user).toMatchObject({ hasPassword: false, state: UserState.ENABLED });
    expect(await create(request)).toEqual(user);
    for (const password of ['', PASSWORD])
      expect(
        await refusal(auth.client.login({ username: 'machine', password }, { deadlineMs })),
      ).toMatchObject({
        code: password === '' ? status.INVALID_ARGUMENT : status.UNAUTHENTICATED,
      });
    const reused = { code: status.ALREADY_EXISTS, reason: 'REQUEST_ID_REUSED' };
    expect(await refusal(create({ ...request, password: PASSWORD }))).toMatchObject(reused);
    const userId = user?.id ?? '';
    const { oneTimePassword } = await auth.client.resetPassword(
      { userId },
      { deadlineMs, accessToken: admin },
    );
    const after = await auth.client.getUser({ userId }, { deadlineMs, accessToken: admin });
    expect(after.user).toEqual({ ...user, hasPassword: true });
    // The request asked for none, whatever the user has since.
    expect(await create(request)).toEqual(user);
    expect(await refusal(create({ ...request, password: oneTimePassword }))).toMatchObject(reused);
  });

  it('keeps the id and the metadata of the admin, and finds the user by the id', async () => {
    const request = {
      requestId: 'r-7',
      username: 'nora',
      externalId: 'c-7',
      metadata: { desk: '7', b: '1' },
    };
    const user = await create(request);
    expect(user).toMatchObject({ externalId: 'c-7', metadata: { desk: '7', b: '1' } });
    expect(await create({ ...request, metadata: { b: '1', desk: '7' } })).toEqual(user);
    for (const changed of [{ externalId: 'c-8' }, { metadata: { desk: '7' } }])
      expect(await refusal(create({ ...request, ...changed }))).toMatchObject({
        reason: 'REQUEST_ID_REUSED',
      });
    const other = await create({ username: 'nils', externalId: 'c-7' });
    await create({ username: 'nele', externalId: 'C-7' });
    const found = await auth.client.listUsers(
      { pageSize: 0, pageToken: '', externalId: 'c-7' },
      { deadlineMs, accessToken: admin },
    );
    expect(found.users).toEqual([other, user]);
  });

  it.each<[string, Partial<CreateUserRequest>]>([
    ['a long external id', { externalId: 'x'.repeat(101) }],
    ['metadata without a name', { metadata: { '': 'x' } }],
    ['a short name', { username: 'ab' }],
    ['a name with a blank', { username: 'a b c' }],
    ['a short password', { password: 'x'.repeat(11) }],
    ['an overlong password', { password: 'x'.repeat(257) }],
    ['no role', { roles: [] }],
    ['the role of services', { roles: [Role.SERVICE] }],
    ['no valid role among others', { roles: [Role.CUSTOMER, Role.UNSPECIFIED] }],
    ['an overlong request id', { requestId: 'x'.repeat(256) }],
  ])('refuses %s', async (_, request) => {
    expect(await refusal(create(request))).toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});

describe('listing users', () => {
  it('pages newest first, without duplicates or gaps while users are added', async () => {
    const list = (pageToken: string) =>
      auth.client.listUsers({ pageSize: 2, pageToken }, { deadlineMs, accessToken: admin });
    const before = await auth.client.listUsers(
      { pageSize: 100, pageToken: '' },
      { deadlineMs, accessToken: admin },
    );
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await list(pageToken);
      seen.push(...page.users.map((user) => user.id));
      pageToken = page.nextPageToken;
      await create({ username: `added-${seen.length}` });
    } while (pageToken !== '');
    expect(seen).toEqual(before.users.map((user) => user.id));
    expect(seen).toEqual(seen.toSorted().reverse());
  });

  it('refuses a page token of another form', async () => {
    const request = { pageSize: 0, pageToken: Buffer.from('{"before":"x"}').toString('base64url') };
    expect(await refusal(auth.client.listUsers(request, { deadlineMs, accessToken: admin }))).toMatchObject({
      code: status.INVALID_ARGUMENT,
    });
  });
});
