import { status as grpc } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { EVENTS } from '../src/http/security-events.ts';
import { PROBLEMS, type ProblemCode } from '../src/problems/problem-codes.ts';
import { type CallOptions, type Client, createClient } from './client.ts';
import { ALICE, PAYMENT_ID } from './examples.ts';
import { type Platform, Refusal, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;
beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
afterAll(() => platform.close());
beforeEach(() => {
  platform.logged.length = 0;
});

/** Sends a request, and returns the security events that it leaves. */
async function eventsOf(method: string, path: string, options: CallOptions = {}, at = platform) {
  const by = at === platform ? client : await createClient(at);
  const answer = await by.call(method, path, options);
  const lines = at.logged.filter(({ security_event }) => security_event !== undefined);
  for (const line of lines) {
    expect(line.request_id).toBe(answer.headers.get('x-request-id'));
    expect(line.trace_id).toMatch(/^[0-9a-f]{32}$/);
    expect(line.address).toBe('127.0.0.1');
  }
  expect(JSON.stringify(lines)).not.toMatch(/eyJ|s3cret/);
  return lines.map(({ security_event, reason, detail, subject, client_id, route }) => ({
    ...{ security_event, reason, route },
    ...(detail !== undefined && { detail }),
    ...(subject !== undefined && { subject }),
    ...(client_id !== undefined && { client_id }),
  }));
}

it('a bad access token leaves token_refused with its fault, and no token leaves nothing', async () => {
  const route = 'GET /v1/payments/:id';
  const path = `/v1/payments/${PAYMENT_ID}`;
  const refused = { security_event: 'token_refused', reason: 'UNAUTHENTICATED', route };
  const caller = { id: 'usr_1', roles: ['customer'] as const };
  const expired = await platform.identity.tokenFor(caller, { expiresInS: -1 });
  const forged = `${(await platform.identity.tokenFor(caller)).slice(0, -8)}AAAAAAAA`;
  expect(await eventsOf('GET', path, { token: expired })).toEqual([
    { ...refused, detail: 'FST_JWT_AUTHORIZATION_TOKEN_EXPIRED' },
  ]);
  platform.logged.length = 0;
  expect(await eventsOf('GET', path, { token: forged })).toEqual([
    { ...refused, detail: 'FST_JWT_AUTHORIZATION_TOKEN_INVALID' },
  ]);
  platform.logged.length = 0;
  expect(await eventsOf('GET', path)).toEqual([]);
});

it('a refused route leaves access_refused with the caller, also if a service refuses it', async () => {
  const refused = { security_event: 'access_refused', subject: 'usr_of_customer' };
  expect(await eventsOf('GET', '/v1/users', { as: 'customer' })).toEqual([
    { ...refused, reason: 'ROLE_NOT_ALLOWED', route: 'GET /v1/users' },
  ]);
  platform.logged.length = 0;
  platform.fakes.payment.getPayment = () => {
    throw new Refusal('INSUFFICIENT_SCOPE', grpc.PERMISSION_DENIED);
  };
  const machine = { id: 'usr_1', roles: ['customer'], clientId: 'cli_1', scopes: ['ledger:read'] } as const;
  const token = await platform.identity.tokenFor(machine);
  const scope = { security_event: 'access_refused', subject: 'usr_1', client_id: 'cli_1' };
  const route = 'GET /v1/payments/:id';
  expect(await eventsOf('GET', `/v1/payments/${PAYMENT_ID}`, { token })).toEqual([
    { ...scope, reason: 'INSUFFICIENT_SCOPE', route },
  ]);
});

it('a refused use of an operator’s own account leaves access_refused', async () => {
  const reason = 'OWN_ACCOUNT';
  platform.fakes.payment.createDeposit = () => {
    throw new Refusal(reason, grpc.PERMISSION_DENIED);
  };
  const body = { account_id: ALICE, amount: 1, currency: 'EUR' };
  expect(await eventsOf('POST', '/v1/deposits', { as: 'operator', key: 'k', body })).toEqual([
    { security_event: 'access_refused', subject: 'usr_of_operator', reason, route: 'POST /v1/deposits' },
  ]);
});

it('every refusal of a known caller is a security event', () => {
  // A login with a one-time password is right, and has no caller yet.
  const ofLogin = 'PASSWORD_CHANGE_REQUIRED';
  const refusals = Object.entries(PROBLEMS).filter(
    ([code, { status }]) => status === 403 && code !== ofLogin,
  );
  expect(refusals.map(([code]) => EVENTS[code as ProblemCode])).toEqual(refusals.map(() => 'access_refused'));
});

it.each([
  [
    '/v1/auth/login',
    { username: 'alice', password: 's3cret' },
    'login',
    'INVALID_CREDENTIALS',
    'login_failed',
  ],
  [
    '/v1/auth/login',
    { username: 'alice', password: 's3cret' },
    'login',
    'TOO_MANY_LOGINS',
    'login_throttled',
  ],
  [
    '/v1/auth/token',
    { client_id: 'cli_1', client_secret: 's3cret' },
    'loginClient',
    'INVALID_CREDENTIALS',
    'client_login_failed',
  ],
  [
    '/v1/auth/refresh',
    { refresh_token: 's3cret' },
    'refreshTokens',
    'INVALID_REFRESH_TOKEN',
    'refresh_refused',
  ],
])('a request to %s with %j that fails (%s: %s) leaves %s', async (path, body, method, reason, event) => {
  platform.fakes.auth[method] = () => {
    throw new Refusal(reason, reason === 'TOO_MANY_LOGINS' ? grpc.RESOURCE_EXHAUSTED : grpc.UNAUTHENTICATED);
  };
  expect(await eventsOf('POST', path, { body })).toEqual([
    { security_event: event, reason, route: `POST ${path}` },
  ]);
});

it('a request over the limit leaves rate_limited', async () => {
  const limited = await startPlatform({ REQUESTS_PER_MINUTE: '3' });
  try {
    const events = [];
    for (let index = 0; index < 5; index += 1) {
      events.push(...(await eventsOf('GET', '/v1/currencies', {}, limited).catch(() => [])));
    }
    expect(events.at(-1)).toMatchObject({ security_event: 'rate_limited', route: 'GET /v1/currencies' });
  } finally {
    await limited.close();
  }
});

it('a request that succeeds, and one that is invalid, leave nothing', async () => {
  expect(await eventsOf('GET', '/v1/currencies')).toEqual([]);
  expect(await eventsOf('POST', '/v1/payments', { as: 'customer', key: 'k', body: {} })).toEqual([]);
});
