/** The OpenAPI document is valid, and every route responds as it describes (the client checks each response). */

import { AccountState, CaptureMode } from '@payflowx/proto/authorization';
import { RefundState } from '@payflowx/proto/payment';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import {
  ALICE,
  AT,
  account,
  accountRecord,
  accountTotals,
  apiClient,
  CLIENT_ID,
  declinedPayment,
  entry,
  head,
  identityRecord,
  newPayment,
  notificationExample,
  outside,
  PAYMENT_ID,
  paymentOf,
  paymentRecord,
  proof,
  RECONCILIATION_ID,
  RULE_ID,
  receipt,
  reconciliation,
  refundOf,
  rule,
  statement,
  stepOf,
  TRANSACTION_ID,
  tokens,
  totals,
  transaction,
  USER_ID,
  user,
} from './examples.ts';
import { type Platform, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
  const { auth, authorization, payment, ledger, notification, analytics } = platform.fakes;
  Object.assign(auth, {
    login: () => ({ tokens }),
    refreshTokens: () => ({ tokens }),
    logout: () => ({}),
    getMe: () => ({ user }),
    createUser: () => ({ user }),
    listUsers: () => ({ users: [user], nextPageToken: 'next' }),
  });
  Object.assign(authorization, {
    createAccount: () => ({ account }),
    getAccount: () => ({ account: outside }),
    listAccounts: () => ({ accounts: [account], nextPageToken: '' }),
  });
  Object.assign(payment, {
    getPayment: () => ({
      payment: paymentOf({}, { captureMode: CaptureMode.MANUAL, expiresAt: AT, state: 2 }),
    }),
    listPayments: () => ({ payments: [paymentOf({ metadata: { a: 'ü"\\' } })], nextPageToken: 'next' }),
  });
  Object.assign(authorization, {
    updateAccount: () => ({ account: { ...account, version: 2n } }),
    changeAccountState: () => ({ account: { ...account, state: AccountState.FROZEN } }),
    listAccountAuditRecords: () => ({
      records: [accountRecord, { ...accountRecord, beforeJson: '', reason: 'asked to' }],
      nextPageToken: 'next',
    }),
  });
  payment.listPaymentAuditRecords = () => ({ records: [paymentRecord], nextPageToken: 'next' });
  auth.listIdentityAuditRecords = () => ({ records: [identityRecord], nextPageToken: '' });
  const stepped = () => ({ payment: paymentOf({}), replayed: false, pending: false });
  Object.assign(payment, {
    capturePayment: stepped,
    cancelPayment: stepped,
    createRefund: () => ({ refund: refundOf({}), replayed: false }),
    listRefunds: () => ({
      refunds: [
        refundOf({ reason: 'Broken', state: RefundState.FAILED, failure: { code: 'A', message: 'b' } }),
      ],
      nextPageToken: 'next',
    }),
    listPaymentSteps: () => ({ steps: [stepOf({})] }),
    simulatePayment: () => ({ decision: declinedPayment('DAILY_LIMIT_EXCEEDED').decision }),
  });
  const { rules, reconciliations } = platform.fakes;
  const credentials = { accessToken: 'a.b.c', tokenType: 'Bearer', expiresIn: 300, scope: 'accounts:read' };
  Object.assign(auth, {
    loginClient: () => credentials,
    createApiClient: () => ({ client: apiClient, clientSecret: 's3cret' }),
    listApiClients: () => ({ clients: [{ ...apiClient, revokedAt: AT }], nextPageToken: '' }),
    revokeApiClient: () => ({ client: { ...apiClient, revokedAt: AT } }),
    rotateApiClientSecret: () => ({ clientSecret: 's3cret' }),
    rotateSigningKey: () => ({ activeKid: '1', nextKid: '2', activatesAt: AT }),
  });
  Object.assign(rules, {
    createRule: () => ({ rule }),
    updateRule: () => ({ rule: { ...rule, version: 4n, message: 'Too large.' } }),
    getRule: () => ({ rule }),
    listRules: () => ({ rules: [rule], nextPageToken: '' }),
    listRuleVersions: () => ({ versions: [rule], nextPageToken: 'next' }),
    backtestRule: () => ({
      triedCount: 100n,
      matchedCount: 3n,
      newlyDeclinedCount: 2n,
      errorCount: 1n,
      samplePaymentIds: [PAYMENT_ID],
      firstError: 'no such key: order',
      truncated: false,
    }),
  });
  Object.assign(reconciliations, {
    runReconciliation: () => ({ reconciliation }),
    getReconciliation: () => ({ reconciliation: { ...reconciliation, requestedBy: USER_ID } }),
    listReconciliations: () => ({ reconciliations: [reconciliation], nextPageToken: '' }),
  });
  Object.assign(ledger, {
    getStatement: () => statement,
    getReceipt: () => receipt,
    getSealedHead: () => ({ head }),
    listEntries: () => ({ entries: [entry], nextPageToken: '' }),
    getTransaction: () => ({ transaction }),
    getAccountBalance: () => ({ postedMinor: -5n, pendingMinor: 0n, at: AT }),
    getProof: () => proof,
  });
  notification.listNotifications = () => ({ notifications: [notificationExample], nextPageToken: '' });
  Object.assign(analytics, {
    getSummary: () => ({ totals: [totals, { ...totals, successRate: undefined }], asOf: AT }),
    listDailyTotals: () => ({ days: [{ day: '2026-01-31', totals }] }),
    getAccountTotals: () => ({ totals: accountTotals }),
  });
});
afterAll(() => platform.close());

it('is a valid OpenAPI 3.1 document', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(client.document));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(client.document.openapi).toBe('3.1.0');
});

it('gives every operation a name, a summary, a tag and its refusals as problem details', () => {
  const names = new Set<string>();
  for (const operation of Object.values(client.document.paths).flatMap((path) => Object.values(path))) {
    expect(operation).toMatchObject({
      operationId: expect.any(String),
      summary: expect.any(String),
      tags: [expect.any(String)],
    });
    expect(operation.security).toBeDefined();
    names.add(operation.operationId ?? '');
    for (const [status, { content }] of Object.entries(operation.responses)) {
      if (Number(status) >= 400) expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
    }
  }
  expect(names.size).toBe(Object.values(client.document.paths).flatMap((path) => Object.keys(path)).length);
});

it('says which operations may take longer than others, and how long', () => {
  const operations = Object.values(client.document.paths).flatMap((path) => Object.values(path));
  const long = operations.flatMap(({ operationId, description }) => {
    const [, seconds] = /May take up to (\d+) s\./.exec(description ?? '') ?? [];
    return seconds ? [[operationId, Number(seconds)]] : [];
  });
  expect(Object.fromEntries(long)).toEqual({ getProof: 120, runReconciliation: 60, backtestRule: 30 });
});

describe('answers as documented:', () => {
  it.each([
    ['POST', '/v1/auth/login', 200, { username: 'alice', password: 'x' }],
    ['POST', '/v1/auth/refresh', 200, { refresh_token: 'r' }],
    ['POST', '/v1/auth/logout', 204, { refresh_token: 'r' }],
    ['GET', '/v1/auth/me', 200],
    ['GET', '/.well-known/jwks.json', 200],
    ['POST', '/v1/auth/token', 200, { client_id: CLIENT_ID, client_secret: 'secret' }],
    ['POST', '/v1/signing-keys/rotate', 200],
    ['POST', '/v1/api-clients', 201, { name: 'Shop', user_id: USER_ID, scopes: ['accounts:read'] }],
    ['GET', `/v1/api-clients?user_id=${USER_ID}`, 200],
    ['POST', `/v1/api-clients/${CLIENT_ID}/revoke`, 200],
    ['POST', `/v1/api-clients/${CLIENT_ID}/rotate-secret`, 200, {}],
    ['POST', '/v1/users', 201, { username: 'alice', password: 'correct horse', roles: ['customer'] }],
    ['GET', '/v1/users', 200],
    ['POST', '/v1/accounts', 201, { owner_id: USER_ID, currency: 'EUR', limits: { daily: 5 } }],
    ['GET', '/v1/accounts', 200],
    ['GET', '/v1/accounts/external:EUR', 200],
    ['PATCH', `/v1/accounts/${ALICE}`, 200, { limits: { daily: null } }],
    ['POST', `/v1/accounts/${ALICE}/freeze`, 200, { reason: 'stolen' }],
    ['POST', `/v1/accounts/${ALICE}/unfreeze`, 200],
    ['POST', `/v1/accounts/${ALICE}/close`, 200],
    ['GET', `/v1/audit/accounts?account_id=${ALICE}`, 200],
    ['GET', `/v1/audit/payments?account_id=${ALICE}`, 200],
    ['GET', '/v1/audit/identities?action=key.rotated', 200],
    ['POST', '/v1/payments/simulate', 200, newPayment],
    ['POST', `/v1/payments/${PAYMENT_ID}/capture`, 200, { amount: 5, final: true }],
    ['POST', `/v1/payments/${PAYMENT_ID}/cancel`, 200],
    ['POST', `/v1/payments/${PAYMENT_ID}/refunds`, 201, { amount: 5 }],
    ['GET', `/v1/payments/${PAYMENT_ID}/refunds`, 200],
    ['GET', '/v1/payments', 200],
    ['GET', `/v1/payments/${PAYMENT_ID}`, 200],
    ['GET', `/v1/payments/${PAYMENT_ID}/timeline`, 200],
    ['POST', '/v1/rules', 201, { name: 'a', expression: 'true', action: 'decline', message: 'No.' }],
    ['GET', '/v1/rules', 200],
    ['GET', `/v1/rules/${RULE_ID}`, 200],
    ['PATCH', `/v1/rules/${RULE_ID}`, 200, { enabled: false }],
    ['GET', `/v1/rules/${RULE_ID}/versions`, 200],
    ['POST', '/v1/rules/backtest', 200, { expression: 'true', from: '2026-01-31T00:00:00Z' }],
    ['GET', `/v1/ledger/accounts/${ALICE}/statement?from=2026-01-01T00:00:00Z`, 200],
    ['GET', `/v1/ledger/payments/${PAYMENT_ID}/receipt?head_size=2`, 200],
    ['GET', '/v1/ledger/head', 200],
    ['POST', '/v1/ledger/reconciliations', 201],
    ['GET', '/v1/ledger/reconciliations', 200],
    ['GET', `/v1/ledger/reconciliations/${RECONCILIATION_ID}`, 200],
    [
      'GET',
      '/v1/ledger/entries?layer=posted&direction=debit&currency=EUR&created_before=2027-01-01T00:00:00Z',
      200,
    ],
    ['GET', `/v1/ledger/transactions/${TRANSACTION_ID}`, 200],
    ['GET', `/v1/ledger/accounts/${ALICE}/balance?at=2026-01-31T12:00:00Z`, 200],
    ['GET', '/v1/ledger/proof', 200],
    ['GET', '/v1/notifications', 200],
    ['GET', '/v1/analytics/summary', 200],
    ['GET', '/v1/analytics/daily?from=2026-01-01&to=2026-01-31', 200],
    ['GET', `/v1/analytics/accounts/${ALICE}`, 200],
    ['GET', '/healthz', 200],
    ['GET', '/readyz', 200],
  ] as [string, string, number, object?][])('%s %s', async (method, path, expected, body) => {
    const headers: Record<string, string> = method === 'PATCH' ? { 'if-match': '"1"' } : {};
    const token = await platform.identity.tokenFor({ id: 'usr_x', roles: ['operator', 'admin'] });
    const options = { token, key: 'k', headers, ...(body && { body }) } as const;
    const answer = await client.call(method, path, options);
    expect(answer.status).toBe(expected);
    // Keys are new in each run.
    if (path !== '/.well-known/jwks.json') expect(answer.text).toMatchSnapshot();
  });
});

it('passes a page’s cursor on unchanged, and leaves its validation to the other service', async () => {
  const requests: unknown[] = [];
  platform.fakes.payment.listPayments = (request) => {
    requests.push(request);
    return { payments: [], nextPageToken: request.pageToken ? '' : 'eyJhIjoxfQ' };
  };
  const first = await client.call('GET', '/v1/payments?limit=1&currency=EUR', { as: 'customer' });
  expect(first.body).toEqual({ data: [], next_cursor: 'eyJhIjoxfQ' });
  const rest = `/v1/payments?limit=1&currency=EUR&cursor=${first.body.next_cursor}`;
  expect((await client.call('GET', rest, { as: 'customer' })).body.next_cursor).toBeNull();
  expect(requests).toMatchObject([
    { pageSize: 1, pageToken: '', currency: 'EUR' },
    { pageSize: 1, pageToken: 'eyJhIjoxfQ', currency: 'EUR' },
  ]);

  platform.fakes.payment.listPayments = async (request) => {
    const { decodePageToken } = await import('@payflowx/chassis');
    const { Type } = await import('typebox');
    return decodePageToken(request.pageToken, Type.Object({ id: Type.String() }));
  };
  const bad = await client.call('GET', '/v1/payments?cursor=abc', { as: 'customer' });
  expect([bad.status, bad.body.code]).toEqual([400, 'INVALID_CURSOR']);
  expect(bad.body.errors).toMatchObject([{ pointer: '/cursor', in: 'query' }]);
});

it('serves its document at /docs without resources from elsewhere', async () => {
  const page = await fetch(`${platform.url}/docs/`);
  const html = await page.text();
  const policy = page.headers.get('content-security-policy') ?? '';
  expect([...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, from]) => from)).toEqual(['js/scalar.js']);
  expect(policy).toMatch(/^default-src 'none'; script-src 'self' 'sha256-[^']+';/);
  const script = await fetch(`${platform.url}/docs/js/scalar.js`);
  expect([script.status, script.headers.get('content-type')]).toEqual([
    200,
    'application/javascript; charset=utf-8',
  ]);
  expect((await fetch(`${platform.url}/docs`)).url).toBe(`${platform.url}/docs/`);
});
