/** API clients and their tokens. A secret is shown once, and no proxy may store it. */
import { status as grpc } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { AT, apiClient, CLIENT_ID, USER_ID } from './examples.ts';
import { type Platform, Refusal, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
afterAll(() => platform.close());

const logIn = (client_id: string, changes: object = {}) =>
  client.call('POST', '/v1/auth/token', { body: { client_id, client_secret: 'secret', ...changes } });

it('gives a machine a token, and lets no proxy store it', async () => {
  platform.fakes.auth.loginClient = ({ clientId, clientSecret }) => {
    expect([clientId, clientSecret]).toEqual([CLIENT_ID, 'secret']);
    return {
      accessToken: 'a.b.c',
      tokenType: 'Bearer',
      expiresIn: 300,
      scope: 'accounts:read payments:read',
    };
  };
  const { status, headers, body } = await logIn(CLIENT_ID, { grant_type: 'client_credentials' });
  expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
  expect(body).toEqual({
    access_token: 'a.b.c',
    token_type: 'Bearer',
    expires_in: 300,
    scope: 'accounts:read payments:read',
  });
});

it('gives the same response for an unknown client, a wrong secret and a service of the platform itself', async () => {
  let calls = 0;
  platform.fakes.auth.loginClient = () => {
    calls += 1;
    throw new Refusal('INVALID_CREDENTIALS', grpc.UNAUTHENTICATED);
  };
  const answers = [await logIn(CLIENT_ID), await logIn('cli_unknown'), await logIn('svc_payment')];
  const seen = answers.map(({ status, body: { code, title } }) => [status, code, title]);
  expect(seen).toEqual(Array(3).fill([401, 'INVALID_CREDENTIALS', 'The credentials are not valid']));
  expect(new Set(answers.slice(0, 2).map(({ body }) => body.detail)).size).toBe(1);
  // Services log in from inside the platform.
  expect(calls).toBe(2);
});

it('limits the logins of each machine, and not those of another at the same address', async () => {
  const limited = await startPlatform({ LOGINS_PER_MINUTE: '1' });
  try {
    const one = await createClient(limited);
    const login = (client_id: string) =>
      one.call('POST', '/v1/auth/token', { body: { client_id, client_secret: 'secret' } });
    expect((await login(CLIENT_ID)).status).not.toBe(429);
    expect((await login(CLIENT_ID)).status).toBe(429);
    expect((await login('cli_another')).status).not.toBe(429);
  } finally {
    await limited.close();
  }
});

it('shows a secret once', async () => {
  let clientSecret = 's3cret';
  platform.fakes.auth.createApiClient = () => ({ client: { ...apiClient, revokedAt: AT }, clientSecret });
  const body = { name: 'Shop', user_id: USER_ID, scopes: ['accounts:read'] };
  const make = () => client.call('POST', '/v1/api-clients', { as: 'admin', key: 'k', body });
  const first = await make();
  expect([first.status, first.body.client_secret, first.headers.get('cache-control')]).toEqual([
    201,
    's3cret',
    'no-store',
  ]);
  clientSecret = '';
  expect((await make()).body).toMatchObject({ client: { id: CLIENT_ID }, client_secret: null });
});

it('gives no new secret to a revoked client', async () => {
  platform.fakes.auth.rotateApiClientSecret = () => {
    throw new Refusal('API_CLIENT_REVOKED', grpc.FAILED_PRECONDITION);
  };
  const path = `/v1/api-clients/${CLIENT_ID}/rotate-secret`;
  const { status, body } = await client.call('POST', path, { as: 'admin' });
  expect([status, body.code]).toEqual([409, 'API_CLIENT_REVOKED']);
});

it.each([
  ['no scope', { scopes: [] }, '/scopes'],
  ['a scope twice', { scopes: ['accounts:read', 'accounts:read'] }, '/scopes'],
  ['a scope without the one that it needs', { scopes: ['ledger:read'] }, '/scopes'],
  ['a scope that there is not', { scopes: ['everything'] }, '/scopes/0'],
  ['a name of blanks', { name: '   ' }, '/name'],
  ['a name with a line break', { name: 'a\nb' }, '/name'],
])('makes no client with %s', async (_name, changes, pointer) => {
  const body = { name: 'Shop', user_id: USER_ID, scopes: ['accounts:read'], ...changes };
  const answer = await client.call('POST', '/v1/api-clients', { as: 'admin', body });
  expect(answer.status).toBe(400);
  expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toContain(pointer);
});
