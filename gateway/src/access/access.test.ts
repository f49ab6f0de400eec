/** Access by itself: a gateway that has only its access check, and routes of every kind. Services and their clients are not needed. */

import {
  ACCESS_TOKEN_LIFETIME_S,
  createKeyStore,
  createRevocationList,
  KEYS_MAX_AGE_MS,
  NOTHING_REVOKED,
  type RoleName,
  type Scope,
  SECOND_FACTOR_SETUP,
} from '@payflowx/chassis';
import { createTestIdentity } from '@payflowx/chassis/testing';
import Fastify, { type FastifyRequest } from 'fastify';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { handleProblems, ProblemError } from '../problems/problem.ts';
import { asCaller, checkAccess, identifyCallers, tokenCheck } from './access.ts';

const START_S = Date.parse('2026-01-01T12:00:00Z') / 1000;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'], now: START_S * 1000 });
});
afterEach(() => {
  vi.useRealTimers();
});

const DEADLINE = new Date('2026-01-01T12:00:07Z');

async function startGateway() {
  const identity = createTestIdentity();
  let published = identity.jwks;
  const keys = createKeyStore(async () => published);
  const app = Fastify();
  const revocations = createRevocationList();
  const known = identifyCallers(app, { keys, revocations });
  handleProblems(app, { refusalOf: () => new ProblemError('NOT_FOUND', 'There is no such route.') });
  app.decorateRequest('deadline');
  app.addHook('onRequest', async (request) => {
    request.deadline = DEADLINE;
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: 'NOT_FOUND' }));
  await checkAccess(app, { keys, revocations, known });
  const answer = async (request: FastifyRequest) => ({
    caller: request.caller,
    refusal: request.refusal,
    call: request.caller && asCaller(request),
  });
  app.get('/open', { config: { access: 'anyone' } }, answer);
  app.get('/operators', { config: { access: ['operator'] } }, answer);
  const isTokenValid = tokenCheck({ keys, revocations });
  /** Of a request that goes on while its token is revoked, and its key withdrawn. */
  let isStillValid = () => true;
  app.get('/long', { config: { access: ['operator'] } }, async (request) => {
    isStillValid = () => isTokenValid(request);
    return {};
  });
  app.get('/open-long', { config: { access: 'anyone' } }, async (request) => {
    isStillValid = () => isTokenValid(request);
    return {};
  });
  app.get('/setup', { config: { access: ['operator'], setup: true } }, answer);
  app.get('/read', { config: { access: ['customer', 'operator'], scope: 'payments:read' } }, answer);

  const get = async (url: string, authorization?: string) => {
    const answered = await app.inject({ url, headers: authorization === undefined ? {} : { authorization } });
    return { status: answered.statusCode, body: answered.json() };
  };
  const statusOf = async (token: string) => (await get('/operators', `Bearer ${token}`)).status;
  const publish = (jwks: typeof published) => {
    published = jwks;
  };
  const revoke = (id: string, notBeforeS?: number) =>
    revocations.add([{ id, notBeforeS, expiresAt: new Date((START_S + 600) * 1000) }]);
  return { app, identity, keys, get, statusOf, publish, revoke, isStillValid: () => isStillValid() };
}

const OPERATOR = { id: 'usr_x', roles: ['operator'] as RoleName[] };
const CLAIMS = { sub: OPERATOR.id, roles: OPERATOR.roles };

describe('a route', () => {
  it('that is open knows no caller, whatever token is sent', async () => {
    const { get, identity } = await startGateway();
    const verified = `Bearer ${await identity.tokenFor(OPERATOR)}`;
    expect((await get('/operators', verified)).status).toBe(200);
    for (const authorization of [undefined, 'Bearer x', verified]) {
      expect(await get('/open', authorization)).toEqual({ status: 200, body: {} });
    }
  });

  it('that does not exist is 404, also with a bad token', async () => {
    const { get } = await startGateway();
    expect((await get('/nowhere', 'Bearer x')).status).toBe(404);
    expect((await get('/nowhere')).status).toBe(404);
  });

  it('knows its caller, at first and again, and calls services with the caller’s own token and the request’s deadline', async () => {
    const { get, identity } = await startGateway();
    const token = await identity.tokenFor({ ...OPERATOR, clientId: 'cli_1', scopes: ['payments:read'] });
    for (let time = 0; time < 2; time += 1) {
      const caller = { ...OPERATOR, clientId: 'cli_1', scopes: ['payments:read'] };
      const call = { accessToken: token, deadline: DEADLINE.toISOString() };
      expect(await get('/read', `Bearer ${token}`)).toEqual({ status: 200, body: { caller, call } });
    }
  });

  it('that sets up a second factor is the only one open to a token that is restricted to it', async () => {
    const { get, identity } = await startGateway();
    const restricted = { id: 'usr_x', roles: [], restrictedTo: SECOND_FACTOR_SETUP };
    const token = await identity.tokenFor(restricted);
    // Twice: the second time the token is known.
    for (let time = 0; time < 2; time += 1) {
      expect((await get('/setup', `Bearer ${token}`)).status).toBe(200);
      for (const url of ['/operators', '/read']) {
        const answer = await get(url, `Bearer ${token}`);
        expect([answer.status, answer.body.code]).toEqual([403, 'SECOND_FACTOR_SETUP_REQUIRED']);
      }
    }
    const withRoles = await identity.tokenFor({ ...restricted, roles: ['operator'] });
    expect((await get('/operators', `Bearer ${withRoles}`)).status).toBe(403);
  });

  it.each<[string, string, RoleName[], Scope[] | undefined, number, string | undefined, string?]>([
    ['the role', '/operators', ['operator'], undefined, 200, undefined],
    ['the role among others', '/operators', ['auditor', 'operator'], undefined, 200, undefined],
    [
      'another role',
      '/operators',
      ['customer'],
      undefined,
      403,
      'ROLE_NOT_ALLOWED',
      'one of the roles operator.',
    ],
    ['no role', '/read', [], undefined, 403, 'ROLE_NOT_ALLOWED', 'one of the roles customer, operator.'],
    ['the scope', '/read', ['customer'], ['payments:read'], 200, undefined],
    ['another scope', '/read', ['customer'], ['payments:write'], 403, 'INSUFFICIENT_SCOPE', 'payments:read'],
    ['scopes where none is named', '/operators', ['operator'], ['payments:read'], 403, 'INSUFFICIENT_SCOPE'],
    ['the scope but another role', '/read', ['auditor'], ['payments:read'], 403, 'ROLE_NOT_ALLOWED'],
  ])('answers a caller with %s', async (_, url, roles, scopes, status, code, detail = '') => {
    const { get, identity } = await startGateway();
    const token = await identity.tokenFor({ id: 'usr_x', roles, ...(scopes && { scopes }) });
    const answer = await get(url, `Bearer ${token}`);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    if (detail) expect(answer.body.detail).toContain(detail);
  });

  it('without its declaration does not let the gateway start', async () => {
    const app = Fastify();
    const keys = { keyOf: async () => '', has: () => false };
    const parts = { keys, revocations: NOTHING_REVOKED };
    await checkAccess(app, { ...parts, known: identifyCallers(app, parts) });
    app.get('/open', { config: { access: 'anyone' } }, async () => 'fine');
    app.get('/forgotten', async () => 'secret');
    app.get('/too', { config: {} }, async () => 'secret');
    await expect(app.ready()).rejects.toThrow(
      'Routes without config.access: GET /forgotten, HEAD /forgotten, GET /too, HEAD /too',
    );
  });
});

describe('a token', () => {
  const life = (iat: number, exp: number) => ({ iat: START_S + iat, exp: START_S + exp });

  it.each<[string, object, number]>([
    ['of the whole life that auth gives', life(0, ACCESS_TOKEN_LIFETIME_S), 200],
    ['of a second more', life(0, ACCESS_TOKEN_LIFETIME_S + 1), 401],
    ['from 60 s ahead', life(60, 360), 200],
    ['from 61 s ahead', life(61, 361), 401],
    ['from an hour ahead', life(3_600, 3_900), 401],
    ['in its last second', life(-299, 1), 200],
    ['at the moment of its end', life(-300, 0), 401],
    ['that expired', life(-600, -300), 401],
    ['that begins 60 s ahead', { ...life(0, 300), nbf: START_S + 60 }, 200],
    ['that begins 61 s ahead', { ...life(0, 300), nbf: START_S + 61 }, 401],
    ['of another issuer', { iss: 'elsewhere' }, 401],
    ['of no issuer', { iss: undefined }, 401],
    ['for another audience', { aud: 'elsewhere' }, 401],
    ['for no audience', { aud: undefined }, 401],
    ['without a beginning', { iat: undefined }, 401],
    ['without an end', { exp: undefined }, 401],
    ['without a subject', { sub: undefined }, 401],
    ['without roles', { roles: undefined }, 401],
    ['with a client but without a scope', { client_id: 'cli_1' }, 401],
    ['with a scope but without a client', { scope: 'payments:read' }, 401],
  ])('%s, signed by auth: %o is %i, at first and again', async (_, changes, expected) => {
    const { statusOf, identity } = await startGateway();
    const token = await identity.tokenWith({ ...CLAIMS, ...changes });
    expect([await statusOf(token), await statusOf(token)]).toEqual([expected, expected]);
  });

  it.each([
    ['of another type', { typ: 'JWT' }],
    ['of no type', { typ: undefined }],
    ['of another key', { kid: 'key_other' }],
    ['of no key', { kid: undefined }],
    ['of another algorithm', { alg: 'HS256' }],
    ['that says it has no signature', { alg: 'none' }],
  ])('%s is refused', async (_, header) => {
    const { statusOf, identity } = await startGateway();
    expect(await statusOf(await identity.tokenWith(CLAIMS, header))).toBe(401);
  });

  it('that auth did not sign is refused as every other such one, and the answer says nothing about the reason', async () => {
    const { get, identity } = await startGateway();
    const token = await identity.tokenWith(CLAIMS);
    const signature = token.lastIndexOf('.') + 1;
    const foreign = createTestIdentity();
    const kid = identity.jwks[0]?.kid;
    const expired = { ...CLAIMS, ...life(-600, -300) };
    const detailsOf = async (...headers: (string | undefined)[]) => {
      const details = new Set<string>();
      for (const header of headers) {
        const { status, body } = await get('/operators', header);
        expect([status, body.code], header).toEqual([401, 'UNAUTHENTICATED']);
        details.add(body.detail);
      }
      return [...details];
    };
    expect(
      await detailsOf(
        'Bearer abc',
        `Bearer ${token.slice(0, signature)}`,
        `Bearer ${await foreign.tokenFor(OPERATOR)}`,
        `Bearer ${await foreign.tokenWith(CLAIMS, { kid })}`,
        `Bearer ${await foreign.tokenWith(expired, { kid })}`,
      ),
    ).toEqual(['The access token is malformed, revoked, or not issued by this platform.']);
    expect(await detailsOf(undefined, '')).toEqual([expect.stringMatching('There is no access token')]);
    const malformed = await detailsOf('Bearer', 'Bearer ', `Basic ${token}`, token, `Bearer ${token} x`);
    expect(malformed.join()).not.toContain('expired');
    expect(await detailsOf(`Bearer ${await identity.tokenWith(expired)}`)).toEqual([
      'The access token has expired. Get a new one.',
    ]);
  });

  it('has one spelling: a text that was changed, or that decodes to the same bytes, is refused', async () => {
    const { statusOf, identity } = await startGateway();
    const token = await identity.tokenFor(OPERATOR);
    expect([await statusOf(token), await statusOf(token)]).toEqual([200, 200]);
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1) ?? '') + 1];
    const [header, payload, signature = ''] = token.split('.');
    const changed = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    expect([await statusOf(twin), await statusOf(changed)]).toEqual([401, 401]);
  });

  it('is refused from the second in which it expires, also if it was verified before', async () => {
    const { statusOf, identity } = await startGateway();
    const token = await identity.tokenFor(OPERATOR);
    expect(await statusOf(token)).toBe(200);
    vi.setSystemTime((START_S + ACCESS_TOKEN_LIFETIME_S) * 1000 - 1);
    expect(await statusOf(token)).toBe(200);
    vi.setSystemTime((START_S + ACCESS_TOKEN_LIFETIME_S) * 1000);
    expect(await statusOf(token)).toBe(401);
  });

  it('is refused after its key is no longer published', async () => {
    const { statusOf, identity, publish } = await startGateway();
    const token = await identity.tokenWith({ ...CLAIMS, ...life(60, 360) });
    expect(await statusOf(token)).toBe(200);
    publish(createTestIdentity().jwks);
    vi.advanceTimersByTime(KEYS_MAX_AGE_MS + 1);
    // The keys are fetched in the background, so this request is still accepted.
    expect(await statusOf(token)).toBe(200);
    expect(await statusOf(token)).toBe(401);
  });

  it.each([
    ['was verified before', true],
    ['was never seen', false],
  ])('that %s is refused once it is revoked', async (_, isKnown) => {
    const { get, statusOf, identity, revoke } = await startGateway();
    const token = await identity.tokenFor(OPERATOR);
    if (isKnown) expect(await statusOf(token)).toBe(200);
    revoke('usr_other');
    if (isKnown) expect(await statusOf(token)).toBe(200);
    revoke(OPERATOR.id);
    const { status, body } = await get('/operators', `Bearer ${token}`);
    expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED']);
  });
});

describe('a request that lasts', () => {
  it('ends when its token is revoked, but not when it expires', async () => {
    const { get, identity, revoke, isStillValid } = await startGateway();
    await get('/long', `Bearer ${await identity.tokenFor(OPERATOR)}`);
    vi.setSystemTime((START_S + 2 * ACCESS_TOKEN_LIFETIME_S) * 1000);
    expect(isStillValid()).toBe(true);
    // Tokens from this second on are valid: this one is.
    revoke(OPERATOR.id, START_S);
    expect(isStillValid()).toBe(true);
    revoke(OPERATOR.id, START_S + 1);
    expect(isStillValid()).toBe(false);
  });

  it('ends when the key of its token is withdrawn', async () => {
    const { get, identity, keys, publish, isStillValid } = await startGateway();
    await get('/long', `Bearer ${await identity.tokenFor(OPERATOR)}`);
    publish(createTestIdentity().jwks);
    vi.advanceTimersByTime(KEYS_MAX_AGE_MS + 1);
    await keys.keyOf('key_unknown').catch(() => undefined);
    expect(isStillValid()).toBe(false);
  });

  it('has no valid token if it has no caller', async () => {
    const { get, identity, isStillValid } = await startGateway();
    await get('/open-long', `Bearer ${await identity.tokenFor(OPERATOR)}`);
    expect(isStillValid()).toBe(false);
  });
});
