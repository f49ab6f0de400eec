/** The token endpoint for OAuth 2.0 libraries: form encoding, Basic authentication, and errors of RFC 6749. */
import { status as grpc } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { CLIENT_ID } from './examples.ts';
import { type Platform, Refusal, startPlatform } from './platform.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
let platform: Platform;
let client: Client;
let sent: Record<string, string>[];

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
beforeEach(() => {
  sent = [];
  platform.fakes.auth.loginClient = (request) => {
    sent.push(request);
    return { accessToken: 'a.b.c', tokenType: 'Bearer', expiresIn: 300, scope: 'accounts:read' };
  };
});
afterAll(() => platform.close());

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const post = (raw: string, headers: object = {}) =>
  client.call('POST', '/v1/auth/token', { raw, headers: { ...FORM, ...headers } });
const form = (parameters: Record<string, string>, headers: object = {}) =>
  post(new URLSearchParams({ grant_type: 'client_credentials', ...parameters }).toString(), headers);
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});
const NOTHING = { clientId: '', clientSecret: '', clientAssertion: '', scope: '' };

it('takes the id and the secret in the body, and ignores parameters that it does not know', async () => {
  const { status, body, headers } = await form({
    client_id: CLIENT_ID,
    client_secret: 's+&%=',
    scope: 'accounts:read',
    resource: 'x',
    client_assertion: '',
  });
  expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
  expect(body).toEqual({
    access_token: 'a.b.c',
    token_type: 'Bearer',
    expires_in: 300,
    scope: 'accounts:read',
  });
  expect(sent).toEqual([{ ...NOTHING, clientId: CLIENT_ID, clientSecret: 's+&%=', scope: 'accounts:read' }]);
});

it('takes them in the header Authorization too, with a form or with JSON', async () => {
  expect((await form({}, basic(CLIENT_ID, 'a:b%'))).status).toBe(200);
  const json = { body: {}, headers: basic(CLIENT_ID, 'a:b%') };
  expect((await client.call('POST', '/v1/auth/token', json)).status).toBe(200);
  expect((await form({ client_id: CLIENT_ID }, basic(CLIENT_ID, 'a:b%'))).status).toBe(200);
  expect(sent).toEqual(Array(3).fill({ ...NOTHING, clientId: CLIENT_ID, clientSecret: 'a:b%' }));
});

it('takes an assertion in place of a secret', async () => {
  const assertion = { client_assertion_type: ASSERTION_TYPE, client_assertion: 'a.b.c' };
  expect((await form(assertion)).status).toBe(200);
  expect((await client.call('POST', '/v1/auth/token', { body: assertion })).status).toBe(200);
  expect(sent).toEqual(Array(2).fill({ ...NOTHING, clientAssertion: 'a.b.c' }));
});

it.each<[string, string, number, string]>([
  ['no grant type', `client_id=${CLIENT_ID}&client_secret=s`, 400, 'invalid_request'],
  [
    'another grant type',
    `grant_type=password&client_id=${CLIENT_ID}&client_secret=s`,
    400,
    'unsupported_grant_type',
  ],
  ['a parameter twice', `grant_type=client_credentials&client_id=a&client_id=b`, 400, 'invalid_request'],
  ['no credentials', 'grant_type=client_credentials', 401, 'invalid_client'],
  [
    'an empty secret',
    `grant_type=client_credentials&client_id=${CLIENT_ID}&client_secret=`,
    401,
    'invalid_client',
  ],
  [
    'an assertion without its type',
    'grant_type=client_credentials&client_assertion=a.b.c',
    400,
    'invalid_request',
  ],
  [
    'an assertion of another type',
    'grant_type=client_credentials&client_assertion=a.b.c&client_assertion_type=saml',
    400,
    'invalid_request',
  ],
  [
    'a service of the platform',
    'grant_type=client_credentials&client_id=svc_a&client_secret=s',
    401,
    'invalid_client',
  ],
])('answers a form with %s as RFC 6749 says', async (_, text, status, error) => {
  const answer = await post(text);
  expect([answer.status, answer.body]).toEqual([
    status,
    { error, error_description: expect.any(String), request_id: expect.any(String) },
  ]);
  expect(answer.headers.get('content-type')).toContain('application/json');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('www-authenticate')).toBe(status === 401 ? 'Basic realm="payflowx"' : null);
  expect(sent).toEqual([]);
});

it.each<[string, grpc, number, string]>([
  ['INVALID_CREDENTIALS', grpc.UNAUTHENTICATED, 401, 'invalid_client'],
  ['INVALID_CLIENT_ASSERTION', grpc.UNAUTHENTICATED, 401, 'invalid_client'],
  ['INVALID_SCOPE', grpc.INVALID_ARGUMENT, 400, 'invalid_scope'],
  ['INVALID_ARGUMENT', grpc.INVALID_ARGUMENT, 400, 'invalid_request'],
])('translates %s for forms, and answers JSON with a problem', async (reason, code, status, error) => {
  platform.fakes.auth.loginClient = () => {
    throw new Refusal(reason, code);
  };
  const credentials = { client_id: CLIENT_ID, client_secret: 's' };
  const answer = await form(credentials);
  expect([answer.status, answer.body.error]).toEqual([status, error]);
  const json = await client.call('POST', '/v1/auth/token', { body: credentials });
  expect(json.status).toBe(status);
  expect(json.headers.get('content-type')).toContain('application/problem+json');
});

it('refuses credentials in two places', async () => {
  const both = await form({ client_secret: 's' }, basic(CLIENT_ID, 's'));
  expect([both.status, both.body.error]).toEqual([400, 'invalid_request']);
  const other = await form({ client_id: 'cli_other' }, basic(CLIENT_ID, 's'));
  expect([other.status, other.body.error]).toEqual([400, 'invalid_request']);
  for (const authorization of ['Basic', 'Basic !!', `Basic ${Buffer.from('%:x').toString('base64')}`]) {
    const broken = await form({}, { authorization });
    expect([broken.status, broken.body.error]).toEqual([401, 'invalid_client']);
  }
  expect(sent).toEqual([]);
});

it('limits the logins of a client, whichever way it sends its id', async () => {
  const limited = await startPlatform({ LOGINS_PER_MINUTE: '1' });
  try {
    const one = await createClient(limited);
    limited.fakes.auth.loginClient = () => ({
      accessToken: 'a',
      tokenType: 'Bearer',
      expiresIn: 1,
      scope: '',
    });
    const claims = Buffer.from(JSON.stringify({ iss: CLIENT_ID })).toString('base64url');
    const assertion = { client_assertion_type: ASSERTION_TYPE, client_assertion: `e30.${claims}.c` };
    const statuses = [
      await one.call('POST', '/v1/auth/token', { body: { client_id: CLIENT_ID, client_secret: 's' } }),
      await one.call('POST', '/v1/auth/token', {
        raw: 'grant_type=client_credentials',
        headers: { ...FORM, ...basic(CLIENT_ID, 's') },
      }),
      await one.call('POST', '/v1/auth/token', { body: assertion }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 429, 429]);
  } finally {
    await limited.close();
  }
});

it('takes forms at no other route: a page of another site could send them', async () => {
  const answer = await client.call('POST', '/v1/auth/login', { raw: 'username=a&password=b', headers: FORM });
  expect([answer.status, answer.body.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE']);
});
