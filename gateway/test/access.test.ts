/** Access to every route: without a token, and with every role and scope. Invalid tokens: see src/access/access.test.ts. */

import { ROLE_NAMES, type RoleName, SCOPES, type Scope, SECOND_FACTOR_SETUP } from '@payflowx/chassis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import {
  ALICE,
  CAPTURE_ID,
  CLIENT_ID,
  clientKey,
  DEAD_LETTER_ID,
  DELIVERY_ID,
  ENDPOINT_ID,
  EVENT_ID,
  FACTOR_ID,
  MANDATE_ID,
  newMandate,
  newPayment,
  PAYMENT_ID,
  RECONCILIATION_ID,
  REFUND_ID,
  RULE_ID,
  SESSION_ID,
  SUPPRESSION_ID,
  TRANSACTION_ID,
  USER_ID,
} from './examples.ts';
import { type Platform, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
afterAll(() => platform.close());

const EVERYONE: RoleName[] = ['customer', 'operator', 'auditor'];
const OWNERS: RoleName[] = ['customer', 'operator'];
const PEOPLE: RoleName[] = [...EVERYONE, 'admin'];
const PASSWORDS = { current_password: 'a', new_password: 'long enough to be' };
const DEPOSIT = { account_id: ALICE, amount: 1, currency: 'EUR' };
const USER = { username: 'carol', password: 'long enough to be', roles: ['customer'] };

/** The expected access of every route. It repeats the declarations of the routes from the outside. */
const TABLE: [string, string, 'anyone' | RoleName[], Scope?, object?][] = [
  ['POST', '/v1/auth/login', 'anyone', undefined, { username: 'a', password: 'b' }],
  ['POST', '/v1/auth/refresh', 'anyone', undefined, { refresh_token: 'r' }],
  ['POST', '/v1/auth/logout', 'anyone', undefined, { refresh_token: 'r' }],
  ['POST', '/v1/auth/browser-session', 'anyone', undefined, { username: 'a', password: 'b' }],
  ['POST', '/v1/auth/browser-session/second-factor', 'anyone', undefined, { challenge: 'a', code: '123456' }],
  ['POST', '/v1/auth/browser-session/refresh', 'anyone'],
  ['DELETE', '/v1/auth/browser-session', 'anyone'],
  ['GET', '/v1/auth/me', PEOPLE],
  ['POST', '/v1/auth/password', PEOPLE, undefined, PASSWORDS],
  [
    'POST',
    '/v1/auth/one-time-password',
    'anyone',
    undefined,
    { username: 'a', one_time_password: 'b', new_password: USER.password },
  ],
  ['POST', '/v1/auth/login/second-factor', 'anyone', undefined, { challenge: 'a', code: '123456' }],
  ['POST', '/v1/auth/second-factors', PEOPLE, undefined, { kind: 'totp' }],
  ['POST', `/v1/auth/second-factors/${FACTOR_ID}/confirm`, PEOPLE, undefined, { code: '123456' }],
  ['GET', '/v1/auth/second-factors', PEOPLE],
  ['DELETE', `/v1/auth/second-factors/${FACTOR_ID}`, PEOPLE],
  ['DELETE', `/v1/users/${USER_ID}/second-factors`, ['admin']],
  ['GET', '/v1/auth/sessions', PEOPLE],
  ['POST', `/v1/auth/sessions/${SESSION_ID}/revoke`, PEOPLE],
  ['POST', '/v1/auth/logout-everywhere', PEOPLE],
  ['GET', '/.well-known/jwks.json', 'anyone'],
  ['POST', '/v1/auth/token', 'anyone', undefined, { client_id: 'cli_1', client_secret: 's' }],
  ['POST', '/v1/signing-keys/rotate', ['admin']],
  [
    'POST',
    '/v1/api-clients',
    ['admin'],
    undefined,
    { name: 'Shop', user_id: USER_ID, scopes: ['accounts:read'] },
  ],
  ['GET', '/v1/api-clients', ['admin', 'operator', 'auditor']],
  ['POST', `/v1/api-clients/${CLIENT_ID}/revoke`, ['admin']],
  ['POST', `/v1/api-clients/${CLIENT_ID}/rotate-secret`, ['admin']],
  ['DELETE', `/v1/api-clients/${CLIENT_ID}/secret`, ['admin']],
  ['POST', `/v1/api-clients/${CLIENT_ID}/keys`, ['admin'], undefined, { jwk: clientKey.jwk }],
  ['GET', `/v1/api-clients/${CLIENT_ID}/keys`, ['admin', 'operator', 'auditor']],
  ['DELETE', `/v1/api-clients/${CLIENT_ID}/keys/${clientKey.kid}`, ['admin']],
  ['POST', '/v1/users', ['admin'], undefined, USER],
  ['GET', '/v1/users', ['admin', 'operator']],
  ['GET', `/v1/users/${USER_ID}`, ['admin', 'operator']],
  ['POST', `/v1/users/${USER_ID}/disable`, ['admin']],
  ['POST', `/v1/users/${USER_ID}/enable`, ['admin']],
  ['POST', `/v1/users/${USER_ID}/reset-password`, ['admin']],
  ['GET', `/v1/users/${USER_ID}/sessions`, ['admin']],
  ['POST', `/v1/users/${USER_ID}/sessions/${SESSION_ID}/revoke`, ['admin']],
  ['POST', `/v1/users/${USER_ID}/logout-everywhere`, ['admin']],
  ['PATCH', `/v1/users/${USER_ID}`, ['admin'], undefined, { language: 'de' }],
  [
    'POST',
    '/v1/accounts',
    ['operator'],
    'accounts:write',
    { owner_id: ALICE.replace('acct', 'usr'), currency: 'EUR' },
  ],
  [
    'POST',
    '/v1/accounts/batch',
    ['operator'],
    'accounts:write',
    { accounts: [{ owner_id: ALICE.replace('acct', 'usr'), currency: 'EUR' }] },
  ],
  ['GET', '/v1/accounts', EVERYONE, 'accounts:read'],
  ['GET', `/v1/accounts/${ALICE}`, EVERYONE, 'accounts:read'],
  ['PATCH', `/v1/accounts/${ALICE}`, ['operator'], 'accounts:write', {}],
  ['POST', `/v1/accounts/${ALICE}/freeze`, ['operator'], 'accounts:write'],
  ['POST', `/v1/accounts/${ALICE}/unfreeze`, ['operator'], 'accounts:write'],
  ['POST', `/v1/accounts/${ALICE}/close`, ['operator'], 'accounts:write'],
  ['GET', '/v1/currencies', 'anyone'],
  ['GET', '/v1/audit/accounts', ['operator', 'auditor'], 'audit:read'],
  ['GET', '/v1/audit/payments', ['operator', 'auditor'], 'audit:read'],
  ['GET', '/v1/audit/webhooks', ['operator', 'auditor'], 'audit:read'],
  ['GET', '/v1/audit/identities', ['admin', 'operator', 'auditor'], 'audit:read'],
  ['POST', '/v1/deposits', ['operator'], 'deposits:write', DEPOSIT],
  ['POST', '/v1/withdrawals', ['operator'], 'withdrawals:write', DEPOSIT],
  ['POST', '/v1/payments', ['customer', 'operator'], 'payments:write', newPayment],
  ['GET', '/v1/payments', EVERYONE, 'payments:read'],
  ['GET', `/v1/payments/${PAYMENT_ID}`, EVERYONE, 'payments:read'],
  ['PATCH', `/v1/payments/${PAYMENT_ID}`, ['customer', 'operator'], 'payments:write', { reference: 'r' }],
  [
    'POST',
    `/v1/sandbox/accounts/${ALICE}/advance`,
    ['customer', 'operator'],
    'payments:write',
    { seconds: 1 },
  ],
  ['POST', '/v1/payments/simulate', ['customer', 'operator'], 'payments:read', newPayment],
  ['POST', `/v1/payments/${PAYMENT_ID}/capture`, ['customer', 'operator'], 'payments:write'],
  ['POST', `/v1/payments/${PAYMENT_ID}/cancel`, ['customer', 'operator'], 'payments:write'],
  ['POST', `/v1/payments/${PAYMENT_ID}/refunds`, ['customer', 'operator'], 'payments:write'],
  ['GET', `/v1/payments/${PAYMENT_ID}/refunds`, EVERYONE, 'payments:read'],
  ['GET', '/v1/captures', EVERYONE, 'payments:read'],
  ['GET', `/v1/captures/${CAPTURE_ID}`, EVERYONE, 'payments:read'],
  ['GET', '/v1/refunds', EVERYONE, 'payments:read'],
  ['GET', `/v1/refunds/${REFUND_ID}`, EVERYONE, 'payments:read'],
  ['GET', `/v1/payments/${PAYMENT_ID}/timeline`, EVERYONE, 'payments:read'],
  ['POST', '/v1/mandates', OWNERS, 'mandates:write', newMandate],
  ['GET', '/v1/mandates', EVERYONE, 'mandates:read'],
  ['GET', `/v1/mandates/${MANDATE_ID}`, EVERYONE, 'mandates:read'],
  ['POST', `/v1/mandates/${MANDATE_ID}/revoke`, OWNERS, 'mandates:write'],
  ['POST', '/v1/rules', ['operator'], 'rules:write', { name: 'a', expression: 'true', action: 'shadow' }],
  ['GET', '/v1/rules', ['operator', 'auditor'], 'rules:read'],
  ['GET', `/v1/rules/${RULE_ID}`, ['operator', 'auditor'], 'rules:read'],
  ['PATCH', `/v1/rules/${RULE_ID}`, ['operator'], 'rules:write', {}],
  ['GET', `/v1/rules/${RULE_ID}/versions`, ['operator', 'auditor'], 'rules:read'],
  ['POST', '/v1/rules/backtest', ['operator', 'auditor'], 'rules:read', { expression: 'true' }],
  ['GET', '/v1/ledger/entries', EVERYONE, 'ledger:read'],
  ['GET', `/v1/ledger/transactions/${TRANSACTION_ID}`, EVERYONE, 'ledger:read'],
  ['GET', `/v1/ledger/accounts/${ALICE}/balance`, EVERYONE, 'ledger:read'],
  ['GET', `/v1/ledger/accounts/${ALICE}/statement`, EVERYONE, 'ledger:read'],
  ['GET', `/v1/ledger/payments/${PAYMENT_ID}/receipt`, EVERYONE, 'ledger:read'],
  ['GET', '/v1/ledger/head', EVERYONE, 'ledger:read'],
  ['GET', '/v1/ledger/proof', ['operator', 'auditor'], 'ledger:read'],
  ['GET', '/v1/pipeline', ['operator', 'auditor']],
  ['POST', '/v1/ledger/reconciliations', ['operator']],
  ['GET', '/v1/ledger/reconciliations', ['operator', 'auditor'], 'ledger:read'],
  ['GET', `/v1/ledger/reconciliations/${RECONCILIATION_ID}`, ['operator', 'auditor'], 'ledger:read'],
  ['GET', '/v1/notifications', EVERYONE, 'notifications:read'],
  ['GET', '/v1/notification-preferences', [...EVERYONE, 'admin']],
  [
    'PUT',
    '/v1/notification-preferences',
    [...EVERYONE, 'admin'],
    undefined,
    { channels: { inbox: true, mail: true } },
  ],
  ['GET', '/v1/mails', ['operator', 'auditor']],
  ['GET', '/v1/mail-suppressions', ['operator', 'auditor']],
  ['DELETE', `/v1/mail-suppressions/${SUPPRESSION_ID}`, ['operator']],
  ['POST', '/v1/email-confirmations', 'anyone', undefined, { token: 't' }],
  ['POST', '/v1/email-confirmations/resend', [...EVERYONE, 'admin']],
  ['GET', '/v1/events', EVERYONE, 'payments:read'],
  ['GET', '/v1/events/stream', EVERYONE, 'payments:read'],
  ['GET', `/v1/events/${EVENT_ID}`, EVERYONE, 'payments:read'],
  ['POST', '/v1/webhook-endpoints', OWNERS, undefined, { url: 'https://example.com', event_types: ['*'] }],
  ['GET', '/v1/webhook-endpoints', EVERYONE, 'notifications:read'],
  ['GET', `/v1/webhook-endpoints/${ENDPOINT_ID}`, EVERYONE, 'notifications:read'],
  ['PATCH', `/v1/webhook-endpoints/${ENDPOINT_ID}`, OWNERS, undefined, {}],
  ['DELETE', `/v1/webhook-endpoints/${ENDPOINT_ID}`, OWNERS],
  ['POST', `/v1/webhook-endpoints/${ENDPOINT_ID}/rotate-secret`, OWNERS],
  ['POST', `/v1/webhook-endpoints/${ENDPOINT_ID}/test`, OWNERS],
  [
    'POST',
    `/v1/webhook-endpoints/${ENDPOINT_ID}/redeliver`,
    OWNERS,
    undefined,
    { created_after: '2026-01-01T00:00:00Z' },
  ],
  ['GET', '/v1/webhook-deliveries', EVERYONE, 'notifications:read'],
  ['GET', `/v1/webhook-deliveries/${DELIVERY_ID}`, EVERYONE, 'notifications:read'],
  ['POST', `/v1/webhook-deliveries/${DELIVERY_ID}/redeliver`, OWNERS],
  ['GET', '/v1/analytics/summary', ['operator', 'auditor'], 'analytics:read'],
  ['GET', '/v1/analytics/daily', ['operator', 'auditor'], 'analytics:read'],
  ['GET', `/v1/analytics/accounts/${ALICE}`, EVERYONE, 'analytics:read'],
  ['GET', '/v1/audit/dead-letters', ['operator', 'auditor'], 'audit:read'],
  ['GET', '/v1/dead-letters', ['operator', 'auditor']],
  ['GET', `/v1/dead-letters/${DEAD_LETTER_ID}`, ['operator', 'auditor']],
  ['POST', `/v1/dead-letters/${DEAD_LETTER_ID}/redrive`, ['operator']],
  ['POST', '/v1/dead-letters/redrive', ['operator']],
  ['GET', '/v1/services', ['operator', 'auditor']],
  ['GET', '/v1/search?q=a', ['operator', 'auditor']],
  ['GET', '/healthz', 'anyone'],
  ['GET', '/readyz', 'anyone'],
];

/** The routes that are open to people who may only set up a second factor. */
const SETUP = [
  'GET /v1/auth/me',
  'GET /v1/auth/second-factors',
  'POST /v1/auth/second-factors',
  `POST /v1/auth/second-factors/${FACTOR_ID}/confirm`,
  `DELETE /v1/auth/second-factors/${FACTOR_ID}`,
];

const ID = /(acct|cap|cli|dl|evt|fam|man|pay|rec|ref|rule|sf|sup|txn|usr|whd|whe)_[0-9a-f-]+/;
/** The path as the document has it. */
const template = (path: string) =>
  path
    .replace(`/users/${USER_ID}/sessions/${SESSION_ID}`, '/users/{id}/sessions/{session_id}')
    .replace(`/keys/${clientKey.kid}`, '/keys/{kid}')
    .replace(ID, '{id}')
    .replace(/\?.*/, '');

it('the table lists every route of the document', () => {
  const documented = Object.entries(client.document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const known = TABLE.map(([method, path]) => `${method} ${template(path)}`);
  expect(known.sort()).toEqual(documented.sort());
});

describe.each(TABLE)('%s %s', (method, path, access, scope, body) => {
  const call = (who: object) => client.call(method, path, { key: 'k', ...(body && { body }), ...who });

  it(`is open to ${access}`, async () => {
    const anonymous = await call({});
    // A 401 of a login is about the credentials in the body.
    if (access === 'anyone')
      return expect(['UNAUTHENTICATED', 'ROLE_NOT_ALLOWED']).not.toContain(anonymous.body?.code);
    expect([anonymous.status, anonymous.body.code]).toEqual([401, 'UNAUTHENTICATED']);
    expect(anonymous.headers.get('www-authenticate')).toBe('Bearer');

    for (const role of ROLE_NAMES) {
      const { status } = await call({ as: role });
      if (access.includes(role)) expect([401, 403], role).not.toContain(status);
      else expect(status, role).toBe(403);
    }
    expect((await call({ token: await platform.identity.tokenFor({ id: 'usr_x', roles: [] }) })).status).toBe(
      403,
    );
  });

  if (access === 'anyone') return;
  const isSetup = SETUP.includes(`${method} ${path}`);
  it(`is ${isSetup ? 'open' : 'closed'} to a person who must set up a second factor`, async () => {
    const caller = { id: 'usr_x', roles: [], restrictedTo: SECOND_FACTOR_SETUP };
    const { status, body } = await call({ token: await platform.identity.tokenFor(caller) });
    if (isSetup) expect([401, 403]).not.toContain(status);
    else expect([status, body.code]).toEqual([403, 'SECOND_FACTOR_SETUP_REQUIRED']);
  });

  it(`is open to an API client ${scope ? `with the scope ${scope}` : 'never'}`, async () => {
    const caller = { id: 'usr_x', roles: access.slice(0, 1) };
    const codeWith = async (...scopes: Scope[]) => {
      const { status, body } = await call({ token: await platform.identity.tokenFor({ ...caller, scopes }) });
      return status === 403 ? body.code : undefined;
    };
    expect(await codeWith(...SCOPES.filter((other) => other !== scope))).toBe('INSUFFICIENT_SCOPE');
    if (scope) expect(await codeWith(scope)).toBeUndefined();
  });
});

it('the document names the scope of every route', () => {
  const operationOf = (method: string, path: string) =>
    client.document.paths[template(path)]?.[method.toLowerCase()];
  for (const [method, path, access, scope] of TABLE) {
    const machines = scope ? [{ oauth2: [scope] }] : [];
    const security = access === 'anyone' ? [] : [{ access_token: scope ? [scope] : [] }, ...machines];
    expect(operationOf(method, path)?.security, `${method} ${path}`).toEqual(security);
  }
});
