/** Access to every route: without a token, with every role, and with invalid tokens. */

import {
  ACCESS_TOKEN_LIFETIME_S,
  createKeyStore,
  KEYS_MAX_AGE_MS,
  type KeyStore,
  ROLE_NAMES,
  type RoleName,
  SCOPES,
  type Scope,
} from '@payflowx/chassis';
import { createTestIdentity } from '@payflowx/chassis/testing';
import Fastify from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { checkAccess, identifyCallers } from '../src/access/access.ts';
import { handleProblems, ProblemError } from '../src/problems/problem.ts';
import { type Client, createClient } from './client.ts';
import {
  ALICE,
  CLIENT_ID,
  newPayment,
  PAYMENT_ID,
  RECONCILIATION_ID,
  RULE_ID,
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
const DEPOSIT = { account_id: ALICE, amount: 1, currency: 'EUR' };
const USER = { username: 'carol', password: 'long enough to be', roles: ['customer'] };

/** The expected access of every route. It repeats the declarations of the routes from the outside. */
const TABLE: [string, string, 'anyone' | RoleName[], Scope?, object?][] = [
  ['POST', '/v1/auth/login', 'anyone', undefined, { username: 'a', password: 'b' }],
  ['POST', '/v1/auth/refresh', 'anyone', undefined, { refresh_token: 'r' }],
  ['POST', '/v1/auth/logout', 'anyone', undefined, { refresh_token: 'r' }],
  ['GET', '/v1/auth/me', [...EVERYONE, 'admin']],
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
  ['POST', '/v1/users', ['admin'], undefined, USER],
  ['GET', '/v1/users', ['admin', 'operator']],
  [
    'POST',
    '/v1/accounts',
    ['operator'],
    'accounts:write',
    { owner_id: ALICE.replace('acct', 'usr'), currency: 'EUR' },
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
  ['GET', '/v1/audit/identities', ['admin', 'operator', 'auditor'], 'audit:read'],
  ['POST', '/v1/deposits', ['operator'], 'deposits:write', DEPOSIT],
  ['POST', '/v1/withdrawals', ['operator'], 'withdrawals:write', DEPOSIT],
  ['POST', '/v1/payments', ['customer', 'operator'], 'payments:write', newPayment],
  ['GET', '/v1/payments', EVERYONE, 'payments:read'],
  ['GET', `/v1/payments/${PAYMENT_ID}`, EVERYONE, 'payments:read'],
  ['POST', '/v1/payments/simulate', ['customer', 'operator'], 'payments:read', newPayment],
  ['POST', `/v1/payments/${PAYMENT_ID}/capture`, ['customer', 'operator'], 'payments:write'],
  ['POST', `/v1/payments/${PAYMENT_ID}/cancel`, ['customer', 'operator'], 'payments:write'],
  ['POST', `/v1/payments/${PAYMENT_ID}/refunds`, ['customer', 'operator'], 'payments:write'],
  ['GET', `/v1/payments/${PAYMENT_ID}/refunds`, EVERYONE, 'payments:read'],
  ['GET', `/v1/payments/${PAYMENT_ID}/timeline`, EVERYONE, 'payments:read'],
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
  ['POST', '/v1/ledger/reconciliations', ['operator']],
  ['GET', '/v1/ledger/reconciliations', ['operator', 'auditor'], 'ledger:read'],
  ['GET', `/v1/ledger/reconciliations/${RECONCILIATION_ID}`, ['operator', 'auditor'], 'ledger:read'],
  ['GET', '/v1/notifications', EVERYONE, 'notifications:read'],
  ['GET', '/v1/analytics/summary', ['operator', 'auditor'], 'analytics:read'],
  ['GET', '/v1/analytics/daily', ['operator', 'auditor'], 'analytics:read'],
  ['GET', `/v1/analytics/accounts/${ALICE}`, EVERYONE, 'analytics:read'],
  ['GET', '/healthz', 'anyone'],
  ['GET', '/readyz', 'anyone'],
];

const ID = /(acct|cli|pay|rec|rule|txn)_[0-9a-f-]+/;

it('the table lists every route of the document', () => {
  const documented = Object.entries(client.document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const known = TABLE.map(([method, path]) => `${method} ${path.replace(ID, '{id}')}`);
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
    client.document.paths[path.replace(ID, '{id}')]?.[method.toLowerCase()];
  for (const [method, path, access, scope] of TABLE) {
    const security = access === 'anyone' ? [] : [{ access_token: scope ? [scope] : [] }];
    expect(operationOf(method, path)?.security, `${method} ${path}`).toEqual(security);
  }
});

describe('a token', () => {
  const CALLER = { id: 'usr_x', roles: ['operator'] as RoleName[] };
  const CLAIMS = { sub: CALLER.id, roles: CALLER.roles };
  const nowS = () => Math.floor(Date.now() / 1000);
  /** Signed with the right key, so that only the change can be the reason for a refusal. */
  const tokenWith = (changes: object, header?: object) =>
    platform.identity.tokenWith({ ...CLAIMS, ...changes }, header);
  const withoutSignature = async (header: object) => {
    const token = await tokenWith({}, header);
    return token.slice(0, token.lastIndexOf('.') + 1);
  };
  const get = (token: string) => client.call('GET', '/v1/auth/me', { token });

  it('is accepted as the test signs it, and up to a minute before its time', async () => {
    platform.fakes.auth.getMe = () => ({ user: { id: USER_ID, username: 'x', roles: [1] } });
    for (const token of [
      await tokenWith({}),
      await tokenWith({ iat: nowS() + 55, nbf: nowS() + 55, exp: nowS() + 355 }),
    ]) {
      expect((await get(token)).status).toBe(200);
    }
  });

  it.each<[string, () => string | Promise<string>]>([
    ['that expired', () => platform.identity.tokenFor(CALLER, { expiresInS: -1 })],
    ['of another issuer’s key', () => createTestIdentity().tokenFor(CALLER)],
    [
      'with our key’s name but another’s signature',
      () => createTestIdentity().tokenWith(CLAIMS, { kid: platform.identity.jwks[0]?.kid }),
    ],
    ['of another type', () => tokenWith({}, { typ: 'JWT' })],
    ['of another issuer', () => tokenWith({ iss: 'elsewhere' })],
    ['of no issuer', () => tokenWith({ iss: undefined })],
    ['for another audience', () => tokenWith({ aud: 'elsewhere' })],
    ['for no audience', () => tokenWith({ aud: undefined })],
    ['from an hour ahead', () => tokenWith({ iat: nowS() + 3_600, exp: nowS() + 3_900 })],
    ['that begins in two minutes', () => tokenWith({ nbf: nowS() + 120 })],
    ['that lives longer than auth lets it', () => tokenWith({ exp: nowS() + 302 })],
    ['with a client but without a scope', () => tokenWith({ client_id: CLIENT_ID })],
    ['with a scope but without a client', () => tokenWith({ scope: 'payments:read' })],
    ['without a beginning', () => tokenWith({ iat: undefined })],
    ['without an end', () => tokenWith({ exp: undefined })],
    ['without a signature', () => withoutSignature({ alg: 'none' })],
    ['whose signature is missing', () => withoutSignature({})],
    ['that is none', () => 'abc'],
    ['that is two', async () => `${await tokenWith({})} x`],
    ['that is empty', () => ''],
  ])('%s is refused with 401', async (_name, token) => {
    const answer = await client.call('GET', '/v1/auth/me', { token: await token() });
    expect([answer.status, answer.body.code]).toEqual([401, 'UNAUTHENTICATED']);
  });

  it('that was changed after it was accepted is refused', async () => {
    platform.fakes.auth.getMe = () => ({ user: { id: USER_ID, username: 'x', roles: [1] } });
    const token = await platform.identity.tokenFor(CALLER);
    for (let times = 0; times < 3; times += 1) {
      expect((await client.call('GET', '/v1/auth/me', { token })).status).not.toBe(401);
    }
    const [header, payload, signature = ''] = token.split('.');
    const changed = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    expect((await client.call('GET', '/v1/auth/me', { token: changed })).status).toBe(401);
  });

  it('has one spelling: another text that decodes to the same bytes is refused', async () => {
    const token = await tokenWith({});
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? '') + 1];
    expect((await get(twin)).status).toBe(401);
    expect((await get(token)).status).not.toBe(401);
  });

  describe('at a moment, and after it was verified before', () => {
    afterEach(() => {
      vi.useRealTimers();
    });
    const START_MS = new Date('2026-01-01T12:00:00Z').getTime();

    /** A gateway that has only its access check. */
    async function gatewayAt(keys: KeyStore) {
      const app = Fastify();
      handleProblems(app, { refusalOf: () => new ProblemError('NOT_FOUND', '') });
      await checkAccess(app, { keys, known: identifyCallers(app, keys) });
      app.get('/', { config: { access: ['operator'] } }, async () => 'fine');
      return async (token: string) =>
        (await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).statusCode;
    }
    function startAt(ms: number) {
      vi.useFakeTimers({ toFake: ['Date', 'performance'], now: ms });
      const identity = createTestIdentity();
      let published = identity.jwks;
      const keys = createKeyStore(async () => published);
      const publish = (jwks: typeof published) => {
        published = jwks;
      };
      return { identity, keys, publish };
    }

    const life = (iat: number, exp: number) => ({ iat: START_MS / 1000 + iat, exp: START_MS / 1000 + exp });
    it.each<[string, object, number]>([
      ['of the whole life that auth gives', life(0, ACCESS_TOKEN_LIFETIME_S), 200],
      ['of a second more', life(0, ACCESS_TOKEN_LIFETIME_S + 1), 401],
      ['from 60 s ahead', life(60, 360), 200],
      ['from 61 s ahead', life(61, 361), 401],
      ['in its last second', life(-299, 1), 200],
      ['at the moment of its end', life(-300, 0), 401],
      ['that begins 60 s ahead', { ...life(0, 300), nbf: START_MS / 1000 + 60 }, 200],
      ['that begins 61 s ahead', { ...life(0, 300), nbf: START_MS / 1000 + 61 }, 401],
    ])('a token %s: %o is %i, at first and again', async (_, times, expected) => {
      const { identity, keys } = startAt(START_MS);
      const statusOf = await gatewayAt(keys);
      const token = await identity.tokenWith({ ...CLAIMS, ...times });
      expect([await statusOf(token), await statusOf(token)]).toEqual([expected, expected]);
    });

    it('is refused from the second in which it expires', async () => {
      const { identity, keys } = startAt(START_MS);
      const statusOf = await gatewayAt(keys);
      const token = await identity.tokenFor(CALLER);
      expect(await statusOf(token)).toBe(200);
      vi.setSystemTime(START_MS + ACCESS_TOKEN_LIFETIME_S * 1000 - 1);
      expect(await statusOf(token)).toBe(200);
      vi.setSystemTime(START_MS + ACCESS_TOKEN_LIFETIME_S * 1000);
      expect(await statusOf(token)).toBe(401);
    });

    it('is refused after its key is no longer published', async () => {
      const { identity, keys, publish } = startAt(START_MS);
      const statusOf = await gatewayAt(keys);
      const iat = START_MS / 1000 + 60;
      const token = await identity.tokenWith({ ...CLAIMS, iat, exp: iat + ACCESS_TOKEN_LIFETIME_S });
      expect(await statusOf(token)).toBe(200);
      publish(createTestIdentity().jwks);
      vi.advanceTimersByTime(KEYS_MAX_AGE_MS + 1);
      // The keys are fetched in the background, so this request is still accepted.
      expect(await statusOf(token)).toBe(200);
      expect(await statusOf(token)).toBe(401);
    });
  });
});

it('does not start if a route does not declare who may call it', async () => {
  const app = Fastify();
  const keys = { keyOf: async () => '', has: () => false };
  await checkAccess(app, { keys, known: identifyCallers(app, keys) });
  app.get('/open', { config: { access: 'anyone' } }, async () => 'fine');
  app.get('/forgotten', async () => 'secret');
  await expect(app.ready()).rejects.toThrow('Routes without config.access: GET /forgotten');
});
