/** The operations by resource: their requests, and that none of the document is missing. */
import { expect, it } from 'vitest';
import type { Route } from '../gen/routes.ts';
import { createPayFlowX } from '../src/index.ts';
import type { RESOURCES } from '../src/resources.ts';
import { platform } from './platform.ts';

type Listed = {
  [N in keyof typeof RESOURCES]: (typeof RESOURCES)[N][keyof (typeof RESOURCES)[N]];
}[keyof typeof RESOURCES];

/** Routes that are no operation of a resource, and why. The compiler refuses a route that is missing here or in RESOURCES. */
const ELSEWHERE: Record<Exclude<Route, Listed>, string> = {
  'POST /v1/auth/login': 'the client logs in',
  'POST /v1/auth/login/second-factor': 'a person completes the login',
  'POST /v1/auth/one-time-password': 'a person without a password',
  'POST /v1/auth/refresh': 'the client renews its token',
  'POST /v1/auth/logout': 'needs the refresh token, which the client keeps',
  'POST /v1/auth/token': 'the client logs in',
  'POST /v1/auth/browser-session': 'the console',
  'DELETE /v1/auth/browser-session': 'the console',
  'POST /v1/auth/browser-session/second-factor': 'the console',
  'POST /v1/auth/browser-session/refresh': 'the console',
  'GET /.well-known/jwks.json': 'verifiers of tokens',
  'GET /v1/events/stream': 'a stream, not JSON',
  'GET /healthz': 'probes',
  'GET /readyz': 'probes',
};

it('sends ids in the path, the body, the key and the query', async () => {
  await using there = await platform(() => ({ body: { data: [], next_cursor: null } }));
  const { captures, payments, accounts, apiClients } = createPayFlowX({ gateway: there.gateway });
  await captures.create('pay_1', { amount: 500 }, { key: 'parcel-1' });
  await payments.list({ query: { kind: 'deposit', limit: 5 } }).page();
  await accounts.freeze('acct_1', { reason: 'a question of its owner' });
  await accounts.update('acct_1', { limits: { daily: null } }, { header: { 'if-match': '"3"' } });
  await apiClients.removeKey('cli_1', 'k/1');
  expect(there.asked).toMatchObject([
    { method: 'POST', path: '/v1/payments/pay_1/capture', key: 'parcel-1', body: { amount: 500 } },
    { method: 'GET', path: '/v1/payments?kind=deposit&limit=5', body: undefined },
    { method: 'POST', path: '/v1/accounts/acct_1/freeze', body: { reason: 'a question of its owner' } },
    { method: 'PATCH', path: '/v1/accounts/acct_1', version: '"3"', body: { limits: { daily: null } } },
    { method: 'DELETE', path: '/v1/api-clients/cli_1/keys/k%2F1' },
  ]);
});

it('a list yields the items of all pages, or gives one page with its cursor', async () => {
  await using there = await platform(({ path }) => ({
    body: path.includes('cursor=two')
      ? { data: [{ id: 'pay_2' }], next_cursor: null }
      : { data: [{ id: 'pay_1' }], next_cursor: 'two' },
  }));
  const { payments } = createPayFlowX({ gateway: there.gateway });
  const listing = payments.list({ query: { state: 'COMPLETED' } });
  const ids: string[] = [];
  for await (const { id } of listing) ids.push(id);
  expect(ids).toEqual(['pay_1', 'pay_2']);
  const { data: first } = await listing.page();
  const { data: second } = await listing.page(first.next_cursor);
  expect([first.data[0]?.id, second.data[0]?.id, second.next_cursor]).toEqual(['pay_1', 'pay_2', null]);
  const path = '/v1/payments?state=COMPLETED';
  expect(there.asked.map((each) => each.path)).toEqual([
    path,
    `${path}&cursor=two`,
    path,
    `${path}&cursor=two`,
  ]);
});

it('every route is an operation of a resource, or has a reason not to be', () => {
  expect(Object.values(ELSEWHERE).every((reason) => reason.length > 0)).toBe(true);
});
