/** No response may be cached, except the documents that are the same for all callers. */
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PAYMENT_ID } from './examples.ts';
import { type Platform, startPlatform } from './platform.ts';

/** The only routes with successful responses that may be cached. All others, new ones included, must be no-store. */
const DOCUMENTS = ['/openapi.json', '/docs/', '/docs/js/scalar.js'];
const PAGE = ['/confirm-email', '/confirm-email/page.css', '/confirm-email/page.js'];
const PUBLIC = ['/.well-known/jwks.json', ...DOCUMENTS, ...PAGE, '/docs', '/v1/currencies'];

let platform: Platform;
let operator: string;

beforeAll(async () => {
  platform = await startPlatform();
  operator = `Bearer ${await platform.identity.tokenFor({ id: 'usr_o', roles: ['operator'] })}`;
});
afterAll(() => platform.close());

/** Calls each route without a token, with an invalid one, with a valid one, and with a body that cannot be parsed. */
const ATTEMPTS: (() => RequestInit)[] = [
  () => ({}),
  () => ({ headers: { authorization: 'Bearer guess' } }),
  () => ({ headers: { authorization: operator, 'idempotency-key': 'k' } }),
  () => ({ headers: { authorization: operator, 'content-type': 'application/json' }, body: '{' }),
];

/** Returns true if the response may be cached. */
function expectCaching(what: string, isPublic: boolean, { status, headers }: Response): boolean {
  const value = headers.get('cache-control') ?? 'none';
  if (!isPublic || status >= 400) {
    expect(value, `${what} ${status}`).toBe('no-store');
    return false;
  }
  expect(value, what).toMatch(/^public, max-age=\d+$/);
  expect(Number(value.split('=')[1]), what).toBeLessThanOrEqual(300);
  return true;
}

it('no response of any route may be cached, except successful ones of the public documents', async () => {
  const kept = new Set<string>();
  for (const { url, methods } of platform.server.knownPaths.all()) {
    const path = url.replace(/:[^/]+/g, PAYMENT_ID);
    for (const method of methods) {
      for (const attempt of ATTEMPTS) {
        const { body, ...init } = attempt();
        const isRead = method === 'GET' || method === 'HEAD';
        if (isRead && body) continue;
        const answer = await fetch(`${platform.url}${path}`, { ...init, method, ...(body && { body }) });
        await answer.arrayBuffer();
        if (expectCaching(`${method} ${url}`, PUBLIC.includes(url), answer)) kept.add(url);
      }
    }
  }
  expect([...kept].sort()).toEqual(PUBLIC.toSorted());
});

it('no error response may be cached, from any part of the gateway', async () => {
  const { url } = platform;
  const huge = { method: 'POST', body: 'x'.repeat(70_000), headers: { 'content-type': 'application/json' } };
  const statuses = [];
  for (const [path, init] of [
    ['/v1/nothing', {}],
    ['/v1/%zz', {}],
    ['/openapi.json', { method: 'DELETE' }],
    ['/docs/nothing', {}],
    ['/v1/auth/login', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }],
    ['/v1/auth/login', huge],
  ] as [string, RequestInit][]) {
    const answer = await fetch(`${url}${path}`, init);
    statuses.push(answer.status);
    expectCaching(path, false, answer);
  }
  expect(statuses).toEqual([404, 400, 405, 404, 415, 413]);
});

it('missing keys are not cached while auth is unavailable', async () => {
  const own = await startPlatform();
  try {
    await own.stop('auth');
    const answer = await fetch(`${own.url}/.well-known/jwks.json`);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([503, 'no-store']);
  } finally {
    await own.close();
  }
});

it('the response to bytes that are no HTTP may not be cached either', async () => {
  const { port } = new URL(platform.url);
  const text = await new Promise<string>((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write('nonsense\r\n\r\n'));
    socket.once('data', (data) => resolve(data.toString()));
  });
  expect(text).toMatch(/^HTTP\/1\.1 400 [\s\S]*\r\ncache-control: no-store\r\n/);
});

it('documents are sent compressed, in the encoding that the client accepts, and once', async () => {
  for (const path of DOCUMENTS) {
    const get = (headers: Record<string, string>) => fetch(`${platform.url}${path}`, { headers });
    const plain = await get({ 'accept-encoding': 'br;q=0, gzip;q=0' });
    expect([path, plain.headers.get('content-encoding')]).toEqual([path, null]);
    const text = await plain.text();
    const etags = new Set([plain.headers.get('etag')]);
    for (const encoding of ['br', 'gzip']) {
      const accepted = { 'accept-encoding': `${encoding}, deflate` };
      const answer = await get(accepted);
      expect(answer.headers.get('content-encoding')).toBe(encoding);
      expect(answer.headers.get('vary')).toBe('accept-encoding');
      expect(Number(answer.headers.get('content-length'))).toBeLessThan(text.length);
      expect(await answer.text()).toBe(text);
      const etag = answer.headers.get('etag') ?? '';
      etags.add(etag);
      const again = await get({ ...accepted, 'if-none-match': `"other", W/${etag}` });
      expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
    }
    expect(etags.size).toBe(3);
  }
});
