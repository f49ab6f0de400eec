/** Sessions of browsers: the cookie, its renewal and its end, and requests of other origins. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { status } from '@grpc/grpc-js';
import { limitsOf } from '@payflowx/chassis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { passkeyMessage } from '../src/schemas/passkeys.ts';
import { type Platform, Refusal, startPlatform } from './platform.ts';

const PATH = '/v1/auth/browser-session';
const CREDENTIALS = { username: 'alice', password: 'correct horse' };
const ACCESS = { access_token: 'access', token_type: 'Bearer', expires_in: 300 };

let platform: Platform;
let refreshes: { refreshToken: string; requestId: string }[];
let logouts: string[];

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.close());
beforeEach(() => {
  refreshes = [];
  logouts = [];
  const tokens = { accessToken: 'access', tokenType: 'Bearer', expiresIn: 300, refreshToken: 'refresh-2' };
  Object.assign(platform.fakes.auth, {
    login: () => ({ tokens: { ...tokens, refreshToken: 'refresh-1' } }),
    completeLogin: () => ({ tokens }),
    refreshTokens: (request: (typeof refreshes)[number]) => {
      refreshes.push(request);
      return { tokens };
    },
    logout: ({ refreshToken }: { refreshToken: string }) => {
      logouts.push(refreshToken);
      return {};
    },
  });
});

function send(method: string, path: string, body: object | undefined, headers: Record<string, string> = {}) {
  return fetch(platform.url + path, {
    method,
    headers: { ...(body && { 'content-type': 'application/json' }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
  });
}

/** Posts to a host of this name. `fetch` sets the header `Host` itself. */
async function postTo(host: string, path: string, body: object, headers: Record<string, string> = {}) {
  const call = request(platform.url + path, {
    method: 'POST',
    headers: { host, 'content-type': 'application/json', ...headers },
  });
  call.end(JSON.stringify(body));
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  answer.resume();
  return answer;
}

const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

const COOKIE = { cookie: 'other=1; payflowx_session=refresh-1' };

it('gives the refresh token in a cookie only', async () => {
  const answer = await send('POST', PATH, CREDENTIALS);
  expect([answer.status, await answer.json()]).toEqual([200, ACCESS]);
  expect(answer.headers.get('set-cookie')).toBe(
    `payflowx_session=refresh-1; Max-Age=7776000; Path=${PATH}; HttpOnly; SameSite=Strict`,
  );
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

it('gives it after the second factor too', async () => {
  const body = { challenge: 'abc', code: '123456' };
  const answer = await send('POST', `${PATH}/second-factor`, body);
  expect([answer.status, await answer.json()]).toEqual([200, ACCESS]);
  expect(answer.headers.get('set-cookie')).toMatch(/^payflowx_session=refresh-2;/);
});

const PASSKEY = { id: 'abc', rawId: 'abc', type: 'public-key' };
const ASSERTION = { clientDataJSON: 'e30', authenticatorData: 'AA', signature: 'BB' };

it('passes on the passkey of a login, without members that auth does not read', async () => {
  const completions: object[] = [];
  const { completeLogin } = platform.fakes.auth;
  platform.fakes.auth.completeLogin = (request, call) => {
    completions.push(request);
    return completeLogin?.(request, call);
  };
  const passkey = { ...PASSKEY, response: { ...ASSERTION, userHandle: '' }, clientExtensionResults: {} };
  const answer = await send('POST', `${PATH}/second-factor`, { challenge: 'abc', passkey });
  expect(answer.status).toBe(200);
  const passkeyJson = JSON.stringify({ ...PASSKEY, response: ASSERTION });
  expect(completions).toMatchObject([{ challenge: 'abc', code: '', recoveryCode: '', passkeyJson }]);

  const response = { ...ASSERTION, signature: 'no base64url!' };
  const refused = await send('POST', `${PATH}/second-factor`, {
    challenge: 'abc',
    passkey: { ...PASSKEY, response },
  });
  const { code, errors } = (await refused.json()) as { code: string; errors: { pointer: string }[] };
  expect([code, errors[0]?.pointer]).toEqual(['INVALID_REQUEST', '/passkey/response/signature']);
  expect(completions).toHaveLength(1);
});

it('a passkey that is as long as the document allows is not too long for auth', () => {
  const [id, text] = ['a'.repeat(1_364), 'a'.repeat(4_096)];
  const response = {
    ...{ clientDataJSON: text, attestationObject: text, authenticatorData: text, signature: text },
    transports: Array(10).fill('"'.repeat(32)),
  };
  const { passkeyJson = '' } = passkeyMessage({ id, rawId: id, type: 'public-key', response });
  const check = limitsOf('payflowx.auth.v1.CompleteLoginRequest');
  check({ challenge: '', code: '', recoveryCode: '', passkeyJson });
  expect(() =>
    check({ challenge: '', code: '', recoveryCode: '', passkeyJson: passkeyJson + text }),
  ).toThrow();
});

it('names the field of a passkey as REST does', async () => {
  const refuse = (field: string) => () => {
    throw new Refusal('INVALID_ARGUMENT', status.INVALID_ARGUMENT, {
      violations: [{ field, description: 'is wrong' }],
    });
  };
  platform.fakes.auth.completeLogin = refuse('passkey_json');
  const body = { challenge: 'abc', passkey: { ...PASSKEY, response: ASSERTION } };
  const answer = await send('POST', `${PATH}/second-factor`, body);
  expect(await answer.json()).toMatchObject({
    code: 'INVALID_REQUEST',
    detail: 'passkey is wrong.',
    errors: [{ pointer: '/passkey', detail: 'is wrong', in: 'body' }],
  });
});

it('says how a login can be completed, with the options for a passkey', async () => {
  const challenge = { challenge: 'abc', methods: 'passkey,recovery_code' };
  const options = {
    challenge: 'abc',
    rpId: 'pay.example',
    allowCredentials: [{ id: 'x', type: 'public-key' }],
  };
  platform.fakes.auth.login = () => {
    throw new Refusal('SECOND_FACTOR_REQUIRED', status.UNAUTHENTICATED, {
      metadata: { ...challenge, passkey_options: JSON.stringify(options) },
    });
  };
  for (const path of [PATH, '/v1/auth/login']) {
    const answer = await send('POST', path, CREDENTIALS);
    expect(await answer.json()).toMatchObject({
      code: 'SECOND_FACTOR_REQUIRED',
      challenge: 'abc',
      methods: ['passkey', 'recovery_code'],
      passkey_options: options,
    });
  }
});

it('ends the session whose cookie a login replaces, and logs in even if that fails', async () => {
  await send('POST', PATH, { ...CREDENTIALS }, COOKIE);
  await send('POST', `${PATH}/second-factor`, { challenge: 'abc', code: '123456' }, COOKIE);
  expect(logouts).toEqual(['refresh-1', 'refresh-1']);
  platform.fakes.auth.logout = () => {
    throw new Error('away');
  };
  expect((await send('POST', PATH, CREDENTIALS, COOKIE)).status).toBe(200);
});

it('keeps the session if the login fails', async () => {
  platform.fakes.auth.login = () => {
    throw new Refusal('INVALID_CREDENTIALS', status.UNAUTHENTICATED);
  };
  expect((await send('POST', PATH, CREDENTIALS, COOKIE)).status).toBe(401);
  expect(logouts).toEqual([]);
});

it('renews the cookie, with the key of the browser', async () => {
  const answer = await send('POST', `${PATH}/refresh`, {}, { ...COOKIE, 'idempotency-key': 'k-1' });
  expect([answer.status, await answer.json()]).toEqual([200, ACCESS]);
  expect(answer.headers.get('set-cookie')).toMatch(/^payflowx_session=refresh-2;/);
  expect(refreshes).toEqual([expect.objectContaining({ refreshToken: 'refresh-1', requestId: 'k-1' })]);
});

it.each([
  ['no cookie', {}],
  ['an empty one', { cookie: 'payflowx_session=' }],
  ['a secure one over plain HTTP', { cookie: '__Host-payflowx_session=refresh-1' }],
])('refuses a renewal with %s', async (_what, headers: Record<string, string>) => {
  const answer = await send('POST', `${PATH}/refresh`, undefined, headers);
  expect([answer.status, await codeOf(answer)]).toEqual([401, 'INVALID_REFRESH_TOKEN']);
  expect(refreshes).toEqual([]);
});

it('ends the session, and removes the cookie, also if there was none', async () => {
  for (const headers of [COOKIE, {}]) {
    const answer = await send('DELETE', PATH, undefined, headers);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('set-cookie')).toMatch(/^payflowx_session=; Max-Age=0; Path=/);
  }
  expect(logouts).toEqual(['refresh-1']);
});

it.each<Record<string, string>>([
  { origin: 'http://127.0.0.1:1' },
  { origin: 'null' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
  { 'sec-fetch-site': 'none' },
])('refuses the page of another origin: %j', async (headers) => {
  const attempts = [
    send('POST', PATH, CREDENTIALS, headers),
    send('POST', `${PATH}/second-factor`, { challenge: 'abc', code: '123456' }, headers),
    send('POST', `${PATH}/refresh`, {}, { ...COOKIE, ...headers }),
    send('DELETE', PATH, undefined, { ...COOKIE, ...headers }),
  ];
  for (const answer of await Promise.all(attempts)) {
    expect([answer.status, await codeOf(answer)]).toEqual([403, 'CROSS_SITE_REQUEST']);
    expect(answer.headers.get('set-cookie')).toBeNull();
  }
  expect([refreshes, logouts]).toEqual([[], []]);
});

it('accepts pages of its own origin, and clients that are no browsers', async () => {
  const own: Record<string, string>[] = [{}, { origin: platform.url }, { 'sec-fetch-site': 'same-origin' }];
  for (const headers of own) {
    expect((await send('POST', PATH, CREDENTIALS, headers)).status).toBe(200);
  }
});

it('sets the cookie for TLS only, unless it is plain HTTP on the own machine', async () => {
  const cookieFor = async (host: string) =>
    String((await postTo(host, PATH, CREDENTIALS)).headers['set-cookie']);
  const secure = await cookieFor('pay.example');
  // The attributes that a browser asks for, or it drops a cookie with this prefix: `Secure`, `Path=/` and no `Domain`.
  expect(secure).toMatch(/^__Host-payflowx_session=refresh-1;.*; Path=\/;.*; Secure;/);
  expect(secure).not.toContain('Domain');
  expect(await cookieFor('localhost:8080')).not.toContain('Secure');
});

it('uses no session that another subdomain could have planted', async () => {
  const refreshWith = async (cookie: string) =>
    (await postTo('pay.example', `${PATH}/refresh`, {}, { cookie })).statusCode;
  // A subdomain can set these for its parent domain. A browser sends those with the longer path first.
  const planted = ['__Secure-payflowx_session=theirs', 'payflowx_session=theirs'];
  for (const cookie of planted) expect(await refreshWith(cookie)).toBe(401);
  expect(refreshes).toEqual([]);
  expect(await refreshWith([...planted, '__Host-payflowx_session=refresh-1'].join('; '))).toBe(200);
  expect(refreshes.map(({ refreshToken }) => refreshToken)).toEqual(['refresh-1']);
});
