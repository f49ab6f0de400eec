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
  CAPTURE_ID,
  CLIENT_ID,
  captureOf,
  clientKey,
  clientKeyMessage,
  DEAD_LETTER_ID,
  DELIVERY_ID,
  deadLetter,
  declinedPayment,
  delivery,
  ENDPOINT_ID,
  EVENT_ID,
  endpoint,
  entry,
  eventOf,
  FACTOR_ID,
  factor,
  head,
  identityRecord,
  lastProof,
  MANDATE_ID,
  mail,
  mandateMessage,
  newMandate,
  newPayment,
  notificationExample,
  outside,
  PAYMENT_ID,
  paymentOf,
  paymentRecord,
  pipeline,
  proof,
  RECONCILIATION_ID,
  REFUND_ID,
  RULE_ID,
  receipt,
  reconciliation,
  redriveRecord,
  refundOf,
  revokedMandate,
  rule,
  SESSION_ID,
  SUPPRESSION_ID,
  session,
  statement,
  stepOf,
  suppression,
  TRANSACTION_ID,
  tokens,
  totals,
  transaction,
  USER_ID,
  user,
  webhookRecord,
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
    getUser: () => ({ user }),
    changeUserState: () => ({ user }),
    changePassword: () => ({}),
    replaceOneTimePassword: () => ({}),
    resetPassword: () => ({ oneTimePassword: 'once', expiresAt: AT }),
    completeLogin: () => ({ tokens }),
    createSecondFactor: ({ kind }: { kind: string }) =>
      kind === 'passkey'
        ? { factor: { ...factor, kind }, passkeyOptions: '{"challenge":"abc","rp":{"id":"pay.example"}}' }
        : { factor, secret: 'ABC', uri: 'otpauth://totp/x' },
    confirmSecondFactor: () => ({ factor: { ...factor, confirmedAt: AT }, recoveryCodes: ['a-b'] }),
    listSecondFactors: () => ({
      factors: [factor, { ...factor, kind: 'passkey', confirmedAt: AT, lastUsedAt: AT }],
      recoveryCodesLeft: 3,
      passkeyOrigins: ['https://pay.example'],
    }),
    deleteSecondFactor: () => ({}),
    deleteUserSecondFactors: () => ({}),
    listSessions: () => ({ sessions: [session], nextPageToken: '' }),
    listUserSessions: () => ({ sessions: [session], nextPageToken: 'next' }),
    revokeSession: () => ({}),
    revokeAllSessions: () => ({}),
    revokeUserSession: () => ({}),
    revokeAllUserSessions: () => ({}),
    updateUser: () => ({ user }),
    listUsers: () => ({ users: [user], nextPageToken: 'next' }),
    confirmEmail: () => ({}),
    resendEmailConfirmation: () => ({}),
  });
  Object.assign(authorization, {
    createAccount: () => ({ account }),
    batchCreateAccounts: () => ({ results: [{ result: { $case: 'account', value: account } }] }),
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
    capturePayment: () => ({ ...stepped(), captureId: CAPTURE_ID }),
    getCapture: () => ({ capture: captureOf({ reference: 'parcel-1', metadata: { a: 'b' } }) }),
    listCaptures: () => ({ captures: [captureOf({ final: true })], nextPageToken: 'next' }),
    getRefund: () => ({ refund: refundOf({ payment: undefined }) }),
    cancelPayment: stepped,
    changePaymentNotes: () => ({
      payment: paymentOf({}, { payeeNotes: { reference: '', metadata: { a: 'b' } } }),
    }),
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
    removeApiClientSecret: () => ({}),
    addApiClientKey: () => ({ key: clientKeyMessage }),
    listApiClientKeys: () => ({ keys: [clientKeyMessage] }),
    removeApiClientKey: () => ({}),
    rotateSigningKey: () => ({ activeKid: '1', nextKid: '2', activatesAt: AT }),
  });
  Object.assign(platform.fakes.mandates, {
    createMandate: () => ({ mandate: mandateMessage }),
    getMandate: () => ({ mandate: mandateMessage }),
    listMandates: () => ({ mandates: [mandateMessage, revokedMandate], nextPageToken: 'next' }),
    revokeMandate: () => ({ mandate: revokedMandate }),
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
    getLastProof: () => ({ proof: lastProof }),
  });
  const { preferences, mails } = platform.fakes;
  const on = { inbox: true, mail: true };
  const types = ['authorized', 'captured', 'completed', 'failed', 'cancelled', 'expired', 'refunded'];
  const events = types.map((type) => ({ eventType: `payment.${type}`, channels: on }));
  const chosen = () => ({ preferences: { channels: { inbox: true, mail: false }, events, language: 'de' } });
  Object.assign(preferences, {
    getNotificationPreferences: chosen,
    replaceNotificationPreferences: chosen,
  });
  Object.assign(mails, {
    listMails: () => ({
      mails: [mail, { ...mail, paymentId: '', sentAt: undefined }],
      nextPageToken: 'next',
    }),
    listMailSuppressions: () => ({ suppressions: [suppression], nextPageToken: '' }),
    liftMailSuppression: () => ({}),
  });
  Object.assign(notification, {
    listNotifications: () => ({ notifications: [notificationExample], nextPageToken: '' }),
    listEvents: () => ({
      events: [eventOf(), eventOf({ payment: undefined, refund: undefined, webhookEndpoint: endpoint })],
      nextPageToken: '',
    }),
    getEvent: () => ({ event: eventOf() }),
    createWebhookEndpoint: () => ({ endpoint, secret: 'whsec_secret' }),
    listWebhookEndpoints: () => ({ endpoints: [endpoint], nextPageToken: '' }),
    getWebhookEndpoint: () => ({ endpoint }),
    updateWebhookEndpoint: () => ({ endpoint }),
    deleteWebhookEndpoint: () => ({}),
    rotateWebhookSecret: () => ({ endpoint, secret: 'whsec_secret' }),
    testWebhookEndpoint: () => ({ delivery }),
    redeliverWebhooks: () => ({ redeliveredCount: 3 }),
    listWebhookDeliveries: () => ({ deliveries: [delivery], nextPageToken: '' }),
    getWebhookDelivery: () => ({ delivery }),
    redeliverWebhook: () => ({ delivery }),
    listWebhookAuditRecords: () => ({ records: [webhookRecord], nextPageToken: '' }),
  });
  for (const fake of ['paymentDeadLetters', 'notificationDeadLetters', 'authDeadLetters'] as const)
    Object.assign(platform.fakes[fake], {
      listDeadLetters: () => ({ deadLetters: [deadLetter], nextPageToken: '' }),
      getDeadLetter: () => ({ deadLetter }),
      redriveDeadLetters: () => ({ redrivenCount: 2 }),
      listDeadLetterAuditRecords: () => ({ records: [redriveRecord], nextPageToken: '' }),
    });
  for (const fake of PIPELINES) platform.fakes[fake].getPipeline = () => pipeline;
  const instance = { service: 'payment', id: 'payment-1', address: '127.0.0.1:50053', tags: [] };
  platform.registry.instances = [{ ...instance, health: 'critical', reason: 'connection refused' }];
  Object.assign(analytics, {
    getSummary: () => ({ totals: [totals, { ...totals, successRate: undefined }], asOf: AT }),
    listDailyTotals: () => ({ days: [{ day: '2026-01-31', totals }] }),
    getAccountTotals: () => ({ totals: accountTotals }),
  });
});
afterAll(() => platform.close());

const PIPELINES = [
  ...(['paymentPipeline', 'authPipeline', 'ledgerPipeline'] as const),
  ...(['notificationPipeline', 'analyticsPipeline'] as const),
];

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
      // The token endpoint also answers in the form of RFC 6749.
      const others =
        operation.operationId === 'loginClient' && Number(status) <= 401 ? ['application/json'] : [];
      if (Number(status) >= 400)
        expect(Object.keys(content ?? {})).toEqual(['application/problem+json', ...others]);
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
  expect(Object.fromEntries(long)).toEqual({
    ...{ getProof: 120, runReconciliation: 60, backtestRule: 30 },
    ...{ redriveDeadLetter: 60, redriveDeadLetters: 60 },
  });
});

describe('answers as documented:', () => {
  it.each([
    ['POST', '/v1/auth/login', 200, { username: 'alice', password: 'x' }],
    ['POST', '/v1/auth/refresh', 200, { refresh_token: 'r' }],
    ['POST', '/v1/auth/logout', 204, { refresh_token: 'r' }],
    ['POST', '/v1/auth/browser-session', 200, { username: 'alice', password: 'x' }],
    ['POST', '/v1/auth/browser-session/second-factor', 200, { challenge: 'abc', code: '123456' }],
    ['DELETE', '/v1/auth/browser-session', 204],
    ['GET', '/v1/auth/me', 200],
    ['POST', '/v1/auth/password', 204, { current_password: 'x', new_password: 'long enough to be' }],
    [
      'POST',
      '/v1/auth/one-time-password',
      204,
      { username: 'alice', one_time_password: 'x', new_password: 'long enough to be' },
    ],
    ['POST', '/v1/auth/login/second-factor', 200, { challenge: 'abc', code: '123456' }],
    ['POST', '/v1/auth/second-factors', 201, { kind: 'totp' }],
    ['POST', `/v1/auth/second-factors/${FACTOR_ID}/confirm`, 200, { code: '123456' }],
    ['GET', '/v1/auth/second-factors', 200],
    ['DELETE', `/v1/auth/second-factors/${FACTOR_ID}`, 204],
    ['DELETE', `/v1/users/${USER_ID}/second-factors`, 204],
    ['GET', '/v1/auth/sessions', 200],
    ['POST', `/v1/auth/sessions/${SESSION_ID}/revoke`, 204],
    ['POST', '/v1/auth/logout-everywhere', 204],
    ['GET', '/.well-known/jwks.json', 200],
    ['POST', '/v1/auth/token', 200, { client_id: CLIENT_ID, client_secret: 'secret' }],
    ['POST', '/v1/signing-keys/rotate', 200],
    ['POST', '/v1/api-clients', 201, { name: 'Shop', user_id: USER_ID, scopes: ['accounts:read'] }],
    ['GET', `/v1/api-clients?user_id=${USER_ID}`, 200],
    ['POST', `/v1/api-clients/${CLIENT_ID}/revoke`, 200],
    ['POST', `/v1/api-clients/${CLIENT_ID}/rotate-secret`, 200, {}],
    ['DELETE', `/v1/api-clients/${CLIENT_ID}/secret`, 204],
    ['POST', `/v1/api-clients/${CLIENT_ID}/keys`, 201, { jwk: clientKey.jwk }],
    ['GET', `/v1/api-clients/${CLIENT_ID}/keys`, 200],
    ['DELETE', `/v1/api-clients/${CLIENT_ID}/keys/${clientKey.kid}`, 204],
    ['POST', '/v1/users', 201, { username: 'alice', password: 'correct horse', roles: ['customer'] }],
    ['GET', '/v1/users', 200],
    ['GET', `/v1/users/${USER_ID}`, 200],
    ['POST', `/v1/users/${USER_ID}/disable`, 200],
    ['POST', `/v1/users/${USER_ID}/enable`, 200],
    ['POST', `/v1/users/${USER_ID}/reset-password`, 200],
    ['GET', `/v1/users/${USER_ID}/sessions`, 200],
    ['POST', `/v1/users/${USER_ID}/sessions/${SESSION_ID}/revoke`, 204],
    ['POST', `/v1/users/${USER_ID}/logout-everywhere`, 204],
    ['PATCH', `/v1/users/${USER_ID}`, 200, { roles: ['auditor'], email: 'a@example.com', language: null }],
    ['POST', '/v1/accounts', 201, { owner_id: USER_ID, currency: 'EUR', limits: { daily: 5 } }],
    ['POST', '/v1/accounts/batch', 200, { accounts: [{ owner_id: USER_ID, currency: 'EUR' }] }],
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
    ['PATCH', `/v1/payments/${PAYMENT_ID}`, 200, { reference: null, metadata: { a: 'b', c: null } }],
    ['POST', `/v1/payments/${PAYMENT_ID}/capture`, 200, { amount: 5, final: true }],
    ['POST', `/v1/payments/${PAYMENT_ID}/cancel`, 200],
    ['POST', `/v1/payments/${PAYMENT_ID}/refunds`, 201, { amount: 5 }],
    ['GET', `/v1/payments/${PAYMENT_ID}/refunds`, 200],
    ['GET', `/v1/captures?payment_id=${PAYMENT_ID}&state=FAILED`, 200],
    ['GET', `/v1/captures/${CAPTURE_ID}`, 200],
    ['GET', `/v1/refunds?account_id=${ALICE}&created_after=2026-01-31T00:00:00Z`, 200],
    ['GET', `/v1/refunds/${REFUND_ID}`, 200],
    ['GET', '/v1/payments', 200],
    ['GET', `/v1/payments/${PAYMENT_ID}`, 200],
    ['GET', `/v1/payments/${PAYMENT_ID}/timeline`, 200],
    ['POST', '/v1/mandates', 201, newMandate],
    ['GET', `/v1/mandates?state=active&account_id=${ALICE}`, 200],
    ['GET', `/v1/mandates/${MANDATE_ID}`, 200],
    ['POST', `/v1/mandates/${MANDATE_ID}/revoke`, 200],
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
    ['GET', '/v1/audit/dead-letters', 200],
    ['GET', '/v1/dead-letters?source=payment-events&reason=REJECTED', 200],
    ['GET', `/v1/dead-letters/${DEAD_LETTER_ID}`, 200],
    ['POST', `/v1/dead-letters/${DEAD_LETTER_ID}/redrive`, 200],
    ['POST', '/v1/dead-letters/redrive', 200, { reason: 'REFUSED' }],
    ['GET', '/v1/services', 200],
    ['GET', '/v1/pipeline', 200],
    ['GET', `/v1/search?q=${PAYMENT_ID}`, 200],
    ['GET', '/v1/search?q=12.50%20EUR', 200],
    ['GET', '/v1/notifications', 200],
    ['GET', '/v1/notification-preferences', 200],
    [
      'PUT',
      '/v1/notification-preferences',
      200,
      {
        channels: { inbox: true, mail: false },
        events: { 'payment.captured': { inbox: true, mail: false } },
        language: 'de',
      },
    ],
    ['GET', `/v1/mails?user_id=${USER_ID}&payment_id=${PAYMENT_ID}&state=sent`, 200],
    ['GET', '/v1/mail-suppressions', 200],
    ['DELETE', `/v1/mail-suppressions/${SUPPRESSION_ID}`, 204],
    ['POST', '/v1/email-confirmations', 204, { token: 'bm90IGEgdG9rZW4' }],
    ['POST', '/v1/email-confirmations/resend', 204],
    ['GET', '/v1/events?type=payment.completed,payment.refunded', 200],
    ['GET', `/v1/events/${EVENT_ID}`, 200],
    ['POST', '/v1/webhook-endpoints', 201, { url: 'https://example.com', event_types: ['*'] }],
    ['GET', '/v1/webhook-endpoints', 200],
    ['GET', `/v1/webhook-endpoints/${ENDPOINT_ID}`, 200],
    ['PATCH', `/v1/webhook-endpoints/${ENDPOINT_ID}`, 200, { state: 'disabled' }],
    ['DELETE', `/v1/webhook-endpoints/${ENDPOINT_ID}`, 204],
    ['POST', `/v1/webhook-endpoints/${ENDPOINT_ID}/rotate-secret`, 200],
    ['POST', `/v1/webhook-endpoints/${ENDPOINT_ID}/test`, 202],
    [
      'POST',
      `/v1/webhook-endpoints/${ENDPOINT_ID}/redeliver`,
      200,
      { created_after: '2026-01-01T00:00:00Z' },
    ],
    ['GET', '/v1/webhook-deliveries?state=failed', 200],
    ['GET', `/v1/webhook-deliveries/${DELIVERY_ID}`, 200],
    ['POST', `/v1/webhook-deliveries/${DELIVERY_ID}/redeliver`, 202],
    ['GET', '/v1/audit/webhooks', 200],
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

it('answers as documented with the options of a passkey', async () => {
  const body = { kind: 'passkey', name: 'Laptop' };
  const { status, body: created } = await client.call('POST', '/v1/auth/second-factors', {
    as: 'customer',
    body,
  });
  expect([status, created]).toMatchObject([
    201,
    { factor: { kind: 'passkey' }, passkey_options: { challenge: 'abc', rp: { id: 'pay.example' } } },
  ]);
  expect(Object.keys(created)).toEqual(['factor', 'passkey_options']);
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
