import { beforeAll, describe, expect, it } from 'vitest';
import { type Demo, logIn, openAccount, readDemo, type Session } from '../src/platform.ts';
import { type Body, expectStatus, restClient } from '../src/rest.ts';
import { callRpc, SERVICES, serviceNamed } from '../src/rpc.ts';

let demo: Demo;
let operator: Session;
let alice: Session;
let bob: Session;
let account: Body;
let payment: Body;

beforeAll(async () => {
  demo = readDemo();
  operator = await logIn(demo, 'operator');
  alice = await logIn(demo, 'alice');
  bob = await logIn(demo, 'bob');
  account = await openAccount(operator, alice.user, 500);
  const other = await openAccount(operator, alice.user, 0);
  const request = { from_account: account.id, to_account: other.id, amount: 100, currency: 'EUR' };
  payment = expectStatus(await alice.post('/v1/payments', request), 201);
});

/** What the contract opens to anyone. Everything else wants a token. */
const OPEN = new Set(['login', 'loginClient', 'refreshTokens', 'logout', 'getJwks']);

describe('nobody', () => {
  const methods = SERVICES.flatMap((service) =>
    Object.keys(service.client.service)
      .filter((method) => !OPEN.has(method))
      .map((method) => ({ service, method, name: `${service.client.serviceName}/${method}` })),
  );

  it.each(methods)('is refused by $name', async ({ service, method }) => {
    expect((await callRpc(service, method)).code).toBe('UNAUTHENTICATED');
    expect((await callRpc(service, method, { token: 'eyJhbGciOiJub25lIn0.e30.' })).code).toBe(
      'UNAUTHENTICATED',
    );
  });

  it('is refused by every route that is not open', async () => {
    const { paths } = expectStatus(await restClient(demo.gateway).get('/openapi.json'), 200);
    const guarded = Object.entries<Body>(paths).flatMap(([path, operations]) =>
      Object.entries<Body>(operations)
        .filter(([, { security }]) => security?.length > 0)
        .map(([method]) => ({ method: method.toUpperCase(), path: path.replace(/\{[^}]+\}/g, 'x') })),
    );
    expect(guarded.length).toBeGreaterThan(15);
    for (const { method, path } of guarded) {
      const response = await fetch(new URL(path, demo.gateway), { method });
      expect(`${method} ${path} ${response.status}`).toBe(`${method} ${path} 401`);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });
});

describe("a stranger's token", () => {
  it.each([
    ['account', () => `/v1/accounts/${account.id}`],
    ['payment', () => `/v1/payments/${payment.id}`],
    ['ledger balance', () => `/v1/ledger/accounts/${account.id}/balance`],
    ['analytics', () => `/v1/analytics/accounts/${account.id}`],
  ])("does not show somebody else's %s", async (_, path) => {
    expectStatus(await alice.get(path()), 200);
    expectStatus(await bob.get(path()), 404);
  });

  it.each([
    ['payments', () => `/v1/payments?account_id=${account.id}`],
    ['notifications', () => `/v1/notifications?payment_id=${payment.id}`],
  ])("lists nothing of somebody else's %s", async (_, path) => {
    expect(expectStatus(await bob.get(path()), 200).data).toEqual([]);
  });

  it("spends nothing of somebody else's, and the account looks as if it were not there", async () => {
    const [mine] = demo.accounts.filter(({ owner_id }) => owner_id === bob.user.id);
    const request = { from_account: account.id, to_account: mine?.id, amount: 1, currency: 'EUR' };
    const problem = expectStatus(await bob.post('/v1/payments', request), 404);
    expect(problem.code).toBe('FROM_ACCOUNT_NOT_FOUND');
    expect(expectStatus(await alice.get(`/v1/accounts/${account.id}`), 200).balance.posted).toBe(400);
  });

  it.each([
    ['AccountService', 'getAccount', () => ({ accountId: account.id })],
    ['PaymentService', 'getPayment', () => ({ paymentId: payment.id })],
    ['LedgerService', 'getAccountBalance', () => ({ accountId: account.id })],
    ['AnalyticsService', 'getAccountTotals', () => ({ accountId: account.id })],
  ])('finds nothing by calling %s.%s directly', async (name, method, request) => {
    const service = serviceNamed(name);
    expect((await callRpc(service, method, { request: request(), token: alice.token })).code).toBe('OK');
    expect((await callRpc(service, method, { request: request(), token: bob.token })).code).toBe('NOT_FOUND');
  });

  it('spends nothing by calling the payment service directly', async () => {
    const request = {
      requestId: crypto.randomUUID(),
      fromAccount: account.id,
      toAccount: payment.to_account,
      amountMinor: 1n,
      currency: 'EUR',
    };
    const answer = await callRpc(serviceNamed('PaymentService'), 'createPayment', {
      request,
      token: bob.token,
    });
    expect(answer.code).toBe('NOT_FOUND');
  });
});

describe("a customer's token", () => {
  it.each([
    ['AuthorizationService', 'batchAuthorize'],
    ['AccountService', 'createAccount'],
    ['AccountService', 'listBalances'],
    ['PaymentService', 'createDeposit'],
    ['PaymentService', 'createWithdrawal'],
    ['LedgerService', 'getProof'],
    ['AuthService', 'createUser'],
  ])('is refused by %s.%s', async (name, method) => {
    expect((await callRpc(serviceNamed(name), method, { token: alice.token })).code).toBe(
      'PERMISSION_DENIED',
    );
  });

  it.each([
    ['POST', '/v1/accounts', { owner_id: 'usr_x', currency: 'EUR' }],
    ['POST', '/v1/deposits', { account_id: 'acct_x', amount: 1, currency: 'EUR' }],
    ['GET', '/v1/users', undefined],
    ['GET', '/v1/ledger/proof', undefined],
    ['GET', '/v1/analytics/summary', undefined],
  ])('is refused by %s %s', async (method, path, body) => {
    const answer = method === 'GET' ? await alice.get(path) : await alice.post(path, body);
    expectStatus(answer, 403);
  });
});
