import { status } from '@grpc/grpc-js';
import { createTokenVerifier, SCOPES } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { type CreateApiClientRequest, Role } from '@payflowx/proto/auth';
import { createDecoder } from 'fast-jwt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuthWithUsers,
  asOwner,
  newUserRequest,
  PASSWORD,
  refusal,
  startAuthWithUsers,
  tokensOf,
  withSecret,
} from './auth-server.ts';

const deadlineMs = PATIENCE_MS;
let auth: AuthWithUsers;
let tokens: Awaited<ReturnType<typeof tokensOf>>;
let customerId: string;

beforeAll(async () => {
  auth = await startAuthWithUsers();
  tokens = await tokensOf(auth);
  customerId = createDecoder()(tokens.customer).sub;
});
afterAll(() => auth?.stop());

const asAdmin = () => ({ deadlineMs, accessToken: tokens.admin });

async function create(changed: Partial<CreateApiClientRequest> = {}, call = asAdmin()) {
  const shop = { requestId: '', name: 'Shop', userId: customerId, scopes: ['payments:read'] };
  const { client, clientSecret } = await auth.client.createApiClient({ ...shop, ...changed }, call);
  if (!client) throw new Error('An answer without a client.');
  return { ...client, clientSecret };
}

const login = (clientId: string, clientSecret: string) =>
  auth.client.loginClient(withSecret(clientId, clientSecret), { deadlineMs });

describe('an API client', () => {
  it('logs in as the user it acts for, limited to its scopes', async () => {
    const { id, clientSecret } = await create({ scopes: ['payments:write', 'payments:read'] });
    expect(id).toMatch(/^cli_/);
    const answer = await login(id, clientSecret);
    expect(answer).toMatchObject({
      tokenType: 'Bearer',
      expiresIn: 300,
      scope: 'payments:read payments:write',
    });
    expect(createDecoder()(answer.accessToken)).toMatchObject({
      sub: customerId,
      roles: ['customer'],
      client_id: id,
      scope: 'payments:read payments:write',
    });
    const jwks = async () => (await auth.client.getJwks({}, { deadlineMs })).keys;
    expect(await createTokenVerifier({ jwks }).verify(answer.accessToken)).toEqual({
      id: customerId,
      roles: ['customer'],
      clientId: id,
      scopes: ['payments:read', 'payments:write'],
    });
  });

  it('is found by the request id of its own admin: two admins may use the same id', async () => {
    const user = newUserRequest({ username: 'second-admin', roles: [Role.ADMIN] });
    await auth.client.createUser(user, asAdmin());
    const login = await auth.client.login({ username: user.username, password: PASSWORD }, { deadlineMs });
    const asSecond = { deadlineMs, accessToken: login.tokens?.accessToken ?? '' };
    const [mine, other] = [
      { requestId: 'same', name: 'Shop' },
      { requestId: 'same', name: 'Till' },
    ];
    const created = [(await create(mine)).id, (await create(other, asSecond)).id];
    expect(new Set(created).size).toBe(2);
    expect([(await create(mine)).id, (await create(other, asSecond)).id]).toEqual(created);
  });

  it('may only read the audit log at auth, even with all scopes and the roles of an admin', async () => {
    const userId = createDecoder()(tokens.admin).sub;
    const { id, clientSecret } = await create({ userId, scopes: [...SCOPES] });
    const { accessToken } = await login(id, clientSecret);
    expect(createDecoder()(accessToken)).toMatchObject({ roles: ['admin'], scope: SCOPES.join(' ') });
    const records = { pageSize: 0, pageToken: '', subjectId: id, actorId: '', action: '' };
    const read = await auth.client.listIdentityAuditRecords(records, { deadlineMs, accessToken });
    expect(read.records).toMatchObject([{ action: 'client.created' }]);
    const refused = { code: status.PERMISSION_DENIED, reason: 'INSUFFICIENT_SCOPE' };
    const call = { deadlineMs, accessToken };
    expect(await refusal(auth.client.getMe({}, call))).toMatchObject(refused);
    expect(await refusal(auth.client.rotateSigningKey({}, call))).toMatchObject(refused);
    expect(await refusal(auth.client.listUsers({ pageSize: 0, pageToken: '' }, call))).toMatchObject(refused);
  });

  it('has the current roles of its user', async () => {
    const { id, clientSecret } = await create();
    const setRoles = (roles: ('customer' | 'auditor')[]) =>
      asOwner(auth.database, (db) =>
        db.updateTable('users').set({ roles }).where('id', '=', customerId).execute(),
      );
    await setRoles(['auditor']);
    expect(createDecoder()((await login(id, clientSecret)).accessToken).roles).toEqual(['auditor']);
    await setRoles(['customer']);
  });

  it('can no longer log in after it is revoked, which is permanent', async () => {
    const { id, clientSecret } = await create();
    await login(id, clientSecret);
    const { client: first } = await auth.client.revokeApiClient({ clientId: id }, asAdmin());
    expect(first?.revokedAt).toBeInstanceOf(Date);
    const { client: second } = await auth.client.revokeApiClient({ clientId: id }, asAdmin());
    expect(second).toEqual(first);
    const refused = await refusal(login(id, clientSecret));
    expect(refused).toMatchObject({ code: status.UNAUTHENTICATED, reason: 'INVALID_CREDENTIALS' });
    // The error is the same as for a client that never existed.
    expect(await refusal(login('cli_nobody', clientSecret))).toEqual(refused);
    const rotation = auth.client.rotateApiClientSecret({ clientId: id }, asAdmin());
    expect(await refusal(rotation)).toMatchObject({
      code: status.FAILED_PRECONDITION,
      reason: 'API_CLIENT_REVOKED',
    });
  });

  it('gets a new secret, and the old one stops working', async () => {
    const { id, clientSecret } = await create();
    const { clientSecret: next } = await auth.client.rotateApiClientSecret({ clientId: id }, asAdmin());
    await login(id, next);
    expect(await refusal(login(id, clientSecret))).toMatchObject({ reason: 'INVALID_CREDENTIALS' });
  });

  it('has a secret that is not stored in the clear', async () => {
    const { id, clientSecret } = await create();
    const row = await asOwner(auth.database, (db) =>
      db.selectFrom('user_api_clients').select('secret_hash').where('id', '=', id).executeTakeFirstOrThrow(),
    );
    expect(row.secret_hash).toHaveLength(32);
    expect(row.secret_hash?.equals(Buffer.from(clientSecret, 'base64url'))).toBe(false);
  });
});

describe('creating an API client', () => {
  it('creates one client per request id, and shows its secret once', async () => {
    const request = { requestId: 'r-1', scopes: ['accounts:read', 'ledger:read'] };
    const made = await Promise.all(Array.from({ length: 6 }, () => create(request)));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(made.filter(({ clientSecret }) => clientSecret !== '')).toHaveLength(1);
    expect(await create({ ...request, scopes: ['ledger:read', 'accounts:read'] })).toMatchObject({
      id: made[0]?.id,
      clientSecret: '',
    });
    expect(await refusal(create({ requestId: 'r-1', name: 'Another' }))).toMatchObject({
      code: status.ALREADY_EXISTS,
      reason: 'REQUEST_ID_REUSED',
    });
  });

  it('keeps the request ids of two admins apart', async () => {
    const user = newUserRequest({ username: 'admin-2', roles: [Role.ADMIN] });
    await auth.client.createUser(user, asAdmin());
    const login = await auth.client.login({ username: 'admin-2', password: PASSWORD }, { deadlineMs });
    const other = { deadlineMs, accessToken: login.tokens?.accessToken ?? '' };
    const one = await create({ requestId: 'r-2' });
    const two = await create({ requestId: 'r-2', name: 'Another' }, other);
    expect([one.name, two.name]).toEqual(['Shop', 'Another']);
    expect(two.id).not.toBe(one.id);
    expect(two.clientSecret).not.toBe('');
  });

  it.each<[string, Partial<CreateApiClientRequest>, string]>([
    ['no scope', { scopes: [] }, 'INVALID_ARGUMENT'],
    ['an unknown scope', { scopes: ['users:write'] }, 'INVALID_ARGUMENT'],
    ['no name', { name: '' }, 'INVALID_ARGUMENT'],
    ['a missing user', { userId: `usr_${'0'.repeat(36)}` }, 'USER_NOT_FOUND'],
    ['a service as its user', { userId: 'svc_payment' }, 'USER_NOT_FOUND'],
    ['a user id of another form', { userId: 'usr_1' }, 'USER_NOT_FOUND'],
  ])('refuses %s', async (_, request, reason) => {
    expect(await refusal(create(request))).toMatchObject({ reason });
  });

  it.each(['customer', 'operator', 'auditor'] as const)('cannot be called by a %s', async (role) => {
    const call = { deadlineMs, accessToken: tokens[role] };
    const refused = { code: status.PERMISSION_DENIED, reason: 'ROLE_NOT_ALLOWED' };
    const wanted = { requestId: '', name: 'x', userId: customerId, scopes: ['payments:read'] };
    expect(await refusal(auth.client.createApiClient(wanted, call))).toMatchObject(refused);
    expect(await refusal(auth.client.revokeApiClient({ clientId: 'cli_1' }, call))).toMatchObject(refused);
    expect(await refusal(auth.client.rotateApiClientSecret({ clientId: 'cli_1' }, call))).toMatchObject(
      refused,
    );
  });
});

describe('API clients', () => {
  it('are listed newest first and by user, without any secret', async () => {
    const userId = createDecoder()(tokens.auditor).sub;
    const made: string[] = [];
    for (const name of ['a', 'b', 'c']) made.push((await create({ name, userId })).id);
    await auth.client.revokeApiClient({ clientId: made[1] ?? '' }, asAdmin());
    const call = { deadlineMs, accessToken: tokens.auditor };
    const first = await auth.client.listApiClients({ pageSize: 2, pageToken: '', userId }, call);
    const second = await auth.client.listApiClients(
      { pageSize: 2, pageToken: first.nextPageToken, userId },
      call,
    );
    const seen = [...first.clients, ...second.clients];
    expect(seen.map(({ id }) => id)).toEqual(made.toReversed());
    expect(seen.map(({ revokedAt }) => revokedAt !== undefined)).toEqual([false, true, false]);
    expect(second.nextPageToken).toBe('');
    const nobody = await auth.client.listApiClients({ pageSize: 0, pageToken: '', userId: 'usr_1' }, call);
    expect(nobody.clients).toEqual([]);
  });

  it('are not found by an id of another form', async () => {
    for (const clientId of ['cli_nobody', 'svc_payment', '']) {
      const call = auth.client.revokeApiClient({ clientId }, asAdmin());
      expect(await refusal(call)).toMatchObject({
        code: status.NOT_FOUND,
        reason: 'API_CLIENT_NOT_FOUND',
      });
    }
  });
});
