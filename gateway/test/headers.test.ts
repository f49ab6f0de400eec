/** The headers of every kind of response: those that each response has, and those that only some may have. */
import { connect } from 'node:net';
import { eventually } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PAYMENT_ID, paymentOf } from './examples.ts';
import { type Platform, startPlatform } from './platform.ts';

const ORIGIN = 'https://app.example';

let platform: Platform;
/** Refuses every request because of load. */
let overloaded: Platform;
let customer: string;

beforeAll(async () => {
  platform = await startPlatform({ REQUESTS_PER_MINUTE: '1000', LOGINS_PER_MINUTE: '1' });
  overloaded = await startPlatform({ MAX_HEAP_BYTES: '1', ALLOWED_ORIGINS: ORIGIN });
  customer = await platform.identity.tokenFor({ id: 'usr_c', roles: ['customer'] });
  platform.fakes.payment.getPayment = () => ({ payment: paymentOf({}) });
});
afterAll(() => Promise.all([platform.close(), overloaded.close()]));

const EVERYWHERE = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': expect.stringMatching(/^max-age=\d+/),
  'cache-control': 'no-store',
  'x-request-id': expect.stringMatching(/^req_/),
};

const LIMIT = {
  ratelimit: expect.stringMatching(/^"requests";r=\d+;t=\d+$/),
  'ratelimit-policy': '"requests";q=1000;w=60',
};

/** Headers that may not be on a response unless its case names them. */
const RARE = ['retry-after', 'www-authenticate', 'allow', 'ratelimit', 'ratelimit-policy', 'ratelimit-limit'];

const json = { 'content-type': 'application/json' };
const login = { method: 'POST', headers: json, body: '{"username":"alice","password":"x"}' };
const bearer = () => ({ headers: { authorization: `Bearer ${customer}` } });
const payment = `/v1/payments/${PAYMENT_ID}`;

const CASES: [string, number, string, () => RequestInit, Record<string, unknown>][] = [
  ['a resource', 200, payment, bearer, LIMIT],
  ['a probe', 200, '/healthz', () => ({}), {}],
  ['a bad address', 400, '/v1/%zz', () => ({}), {}],
  ['no token', 401, payment, () => ({}), { 'www-authenticate': 'Bearer', ...LIMIT }],
  ['another role', 403, '/v1/users', bearer, LIMIT],
  ['an unknown path', 404, '/v1/nothing', () => ({}), LIMIT],
  ['another method', 405, payment, () => ({ method: 'DELETE' }), { allow: 'GET, HEAD, PATCH', ...LIMIT }],
  ['a large body', 413, '/v1/auth/login', () => ({ ...login, body: 'x'.repeat(70_000) }), LIMIT],
  ['no JSON', 415, '/v1/auth/login', () => ({ method: 'POST', body: 'x' }), LIMIT],
  ['a bug of a service', 500, '/v1/auth/login', () => login, LIMIT],
  ['too many logins', 429, '/v1/auth/login', () => login, { 'retry-after': '60', ...LIMIT }],
];

it.each(CASES)('%s (%d) has its headers and no others', async (_name, status, path, init, own) => {
  const answer = await fetch(`${platform.url}${path}`, init());
  await answer.arrayBuffer();
  expect(answer.status).toBe(status);
  expectHeaders(Object.fromEntries(answer.headers), own);
});

it('a refusal because of load has its headers, and a browser may read it', async () => {
  // The heap is measured once a second, so the first request may come before.
  const { answer, body } = await eventually(async () => {
    const answer = await fetch(`${overloaded.url}/v1/payments?secret=1`, { headers: { origin: ORIGIN } });
    const body = await answer.json();
    expect(answer.status).toBe(503);
    return { answer, body };
  });
  expectHeaders(Object.fromEntries(answer.headers), {
    'retry-after': '1',
    'content-type': 'application/problem+json',
    'access-control-allow-origin': ORIGIN,
  });
  expect(body).toEqual({
    type: 'urn:payflowx:problem:overloaded',
    title: 'Overloaded: nothing was done',
    status: 503,
    detail: 'Overloaded: nothing was done. Try again later.',
    instance: '/v1/payments',
    code: 'OVERLOADED',
    request_id: answer.headers.get('x-request-id'),
    retryable: true,
  });
});

it('a response to bytes that are no HTTP has them too', async () => {
  const text = await new Promise<string>((resolve) => {
    const socket = connect(Number(new URL(platform.url).port), '127.0.0.1', () => socket.write('no\r\n\r\n'));
    socket.once('data', (data) => resolve(data.toString()));
  });
  const [head = ''] = text.split('\r\n\r\n');
  const lines = head
    .split('\r\n')
    .slice(1)
    .map((line) => line.split(/: (.*)/).slice(0, 2));
  expectHeaders(Object.fromEntries(lines), {});
});

function expectHeaders(headers: Record<string, string>, own: Record<string, unknown>): void {
  expect(headers).toMatchObject({ ...EVERYWHERE, ...own });
  const unexpected = RARE.filter((name) => name in headers && !(name in own));
  expect(unexpected).toEqual([]);
}
