/** The parts that all routes share: ids, traces, limits, unknown paths, probes, shutdown. */
import { connect } from 'node:net';
import { status } from '@grpc/grpc-js';
import { eventually } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { PAYMENT_ID, paymentOf } from './examples.ts';
import { type Platform, Refusal, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
afterAll(() => platform.close());

describe('a request', () => {
  it('keeps its own id if it is valid, and gets a new one otherwise', async () => {
    const idFor = async (given?: string) => {
      const headers: Record<string, string> = given === undefined ? {} : { 'x-request-id': given };
      return (await client.call('GET', '/healthz', { headers })).headers.get('x-request-id');
    };
    expect(await idFor('order-4711/3')).toBe('order-4711/3');
    for (const invalid of [undefined, '', 'a b', '"', 'x'.repeat(101)])
      expect(await idFor(invalid)).toMatch(/^req_/);
  });

  it('has its trace and its id passed on, or starts a new trace', async () => {
    const traces: unknown[] = [];
    platform.fakes.payment.getPayment = (_request, { trace }) => {
      traces.push(trace);
      return { payment: paymentOf({}) };
    };
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const path = `/v1/payments/${PAYMENT_ID}`;
    await client.call('GET', path, { as: 'auditor', headers: { traceparent, 'x-request-id': 'mine' } });
    await client.call('GET', path, { as: 'auditor', headers: { traceparent: 'nonsense' } });
    expect(traces).toMatchObject([
      { traceId: '0af7651916cd43dd8448eb211c80319c', requestId: 'mine' },
      { traceId: expect.stringMatching(/^[0-9a-f]{32}$/), requestId: expect.stringMatching(/^req_/) },
    ]);
  });

  it('gets 404 for an unknown path, and 405 with the allowed methods for an unknown method', async () => {
    const unknown = await client.call('GET', '/v1/nothing?token=secret');
    expect([unknown.status, unknown.body.code, unknown.body.instance]).toEqual([
      404,
      'NOT_FOUND',
      '/v1/nothing',
    ]);
    expect(unknown.headers.get('content-type')).toContain('application/problem+json');
    const wrong = await client.call('DELETE', `/v1/payments/${PAYMENT_ID}`);
    expect([wrong.status, wrong.body.code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(wrong.headers.get('allow')).toBe('GET, HEAD, PATCH');
    expect((await client.call('PUT', '/v1/payments', { raw: '{' })).headers.get('allow')).toBe(
      'GET, HEAD, POST',
    );
    expect((await client.call('GET', '/v1/%zz')).body).toMatchObject({
      status: 400,
      code: 'INVALID_REQUEST',
    });
  });

  it('with a wrong method gets 405 whatever its body is, also if the path looks like an id', async () => {
    const { port } = new URL(platform.url);
    const statusOf = (head: string) =>
      new Promise<string>((resolve) => {
        const socket = connect(Number(port), '127.0.0.1', () => socket.write(`${head}\r\nhost: x\r\n\r\n`));
        socket.once('data', (data) => resolve(data.toString().slice(9, 12)));
      });
    expect(await statusOf('QUERY /v1/payments HTTP/1.1')).toBe('405');
    expect(await statusOf('QUERY /v1/nothing HTTP/1.1')).toBe('404');
    const typed = { raw: 'x', headers: { 'content-type': 'text/plain' } };
    expect((await client.call('DELETE', '/v1/payments', typed)).status).toBe(405);

    for (const [method, path, allow] of [
      ['GET', '/v1/payments/simulate', 'POST'],
      ['PATCH', '/v1/rules/backtest', 'POST'],
      ['OPTIONS', '/v1/payments/simulate', 'POST'],
    ] as const) {
      const { status, headers } = await client.call(method, path);
      expect([path, status, headers.get('allow')]).toEqual([path, 405, allow]);
    }
  });

  it('that is no HTTP gets a problem as its response', async () => {
    const { port } = new URL(platform.url);
    const text = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('nonsense\r\n\r\n'));
      socket.once('data', (data) => resolve(data.toString()));
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 [\s\S]*x-request-id: req_[\s\S]*"code":"INVALID_REQUEST"/);
  });

  it('has headers that stop a browser from running it', async () => {
    const { headers } = await client.call('GET', '/healthz');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.has('access-control-allow-origin')).toBe(false);
  });
});

describe('limits', () => {
  it('count by subject, else by address, but never probes', async () => {
    const limited = await startPlatform({ REQUESTS_PER_MINUTE: '3' });
    try {
      const { identity, url } = limited;
      const one = await createClient({ identity, url });
      const me = (id: string) => one.call('GET', '/v1/auth/me', { as: 'customer', id });
      for (let n = 0; n < 3; n += 1) expect((await me('usr_1')).status).not.toBe(429);
      const refused = await me('usr_1');
      expect([refused.status, refused.body.code]).toEqual([429, 'TOO_MANY_REQUESTS']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await me('usr_2')).status).not.toBe(429);

      // Requests with bad tokens count by address, and so do wrong paths.
      const guess = () => one.call('GET', '/v1/auth/me', { token: 'guess' });
      const statuses = [await guess(), await guess(), await guess(), await guess()].map(
        ({ status }) => status,
      );
      expect(statuses).toContain(429);
      for (let n = 0; n < 5; n += 1) expect((await one.call('GET', '/healthz')).status).toBe(200);
    } finally {
      await limited.close();
    }
  });

  it('limits the refreshes of each session, and not those of another at the same address', async () => {
    const limited = await startPlatform({ REFRESHES_PER_MINUTE: '2' });
    try {
      const one = await createClient(limited);
      const keys: string[] = [];
      limited.fakes.auth.refreshTokens = ({ requestId }) => {
        keys.push(requestId);
        throw new Refusal('INVALID_REFRESH_TOKEN', status.UNAUTHENTICATED);
      };
      const refresh = async (session: string, own: string, key?: string) => {
        const body = { refresh_token: session.repeat(43) + own.repeat(43) };
        return (await one.call('POST', '/v1/auth/refresh', { body, ...(key && { key }) })).status;
      };
      expect([await refresh('a', '1', 'k-1'), await refresh('a', '2')]).toEqual([401, 401]);
      expect([await refresh('a', '3'), await refresh('b', '3')]).toEqual([429, 401]);
      // Without a key of the client, the gateway makes one: its own retry of a broken call is then no second use.
      expect(keys).toEqual(['k-1', expect.stringMatching(/^req_/), expect.stringMatching(/^req_/)]);
    } finally {
      await limited.close();
    }
  });

  it('count logins by address and name, so that no caller uses up the logins of others', async () => {
    const limited = await startPlatform({ LOGINS_PER_MINUTE: '2', TRUST_PROXY: '127.0.0.1' });
    try {
      const one = await createClient(limited);
      const login = (username: string, from: string) =>
        one.call('POST', '/v1/auth/login', {
          body: { username, password: 'b' },
          headers: { 'x-forwarded-for': from },
        });
      expect((await login('alice', '2001:db8::1')).status).not.toBe(429);
      expect((await login('Alice', '2001:db8::2')).status).not.toBe(429);
      const refused = await login('alice', '2001:db8::3');
      expect([refused.status, refused.body.code]).toEqual([429, 'TOO_MANY_REQUESTS']);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      for (let n = 0; n < 5; n += 1) await login(`guess-${n}`, '2001:db8::1');
      expect((await login('bob', '2001:db8::1')).status).not.toBe(429);
      expect((await login('alice', '2001:db8:0:1::1')).status).not.toBe(429);
    } finally {
      await limited.close();
    }
  });

  it('count all logins of an address as requests, and the /64 for IPv6', async () => {
    const limited = await startPlatform({ REQUESTS_PER_MINUTE: '2', TRUST_PROXY: '127.0.0.1' });
    try {
      const one = await createClient({ identity: limited.identity, url: limited.url });
      const login = (from: string) =>
        one.call('POST', '/v1/auth/login', {
          body: { username: 'alice', password: 'b' },
          headers: { 'x-forwarded-for': from },
        });
      const statuses = [await login('2001:db8::1'), await login('2001:db8::2'), await login('2001:db8::3')];
      expect(statuses.map(({ status }) => status === 429)).toEqual([false, false, true]);
    } finally {
      await limited.close();
    }
  });

  it('shed load with 503 before the process is overloaded, while the liveness probe still succeeds', async () => {
    const overloaded = await startPlatform({ MAX_RSS_BYTES: '1' });
    try {
      // The process samples its load once a second.
      const shed = await eventually(async () => {
        const answer = await fetch(`${overloaded.url}/v1/auth/me`);
        expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
        return answer;
      });
      expect(shed.headers.get('cache-control')).toBe('no-store');
      expect(await shed.json()).toMatchObject({ code: 'OVERLOADED' });
      expect((await fetch(`${overloaded.url}/healthz`)).status).toBe(200);
    } finally {
      await overloaded.close();
    }
  });
});

it('does not take a slow startup for overload', async () => {
  const starting = await startPlatform({ MAX_EVENT_LOOP_DELAY_MS: '1' });
  try {
    // The process samples its load once a second, and detects that it was blocked.
    const until = performance.now() + 1_500;
    while (performance.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await fetch(`${starting.url}/v1/auth/me`)).status).toBe(401);
  } finally {
    await starting.close();
  }
});

it('allows the configured origins, and no others', async () => {
  const open = await startPlatform({ ALLOWED_ORIGINS: 'https://app.example' });
  try {
    const preflight = (origin: string) =>
      fetch(`${open.url}/v1/payments`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'idempotency-key',
        },
      });
    const answer = await preflight('https://app.example');
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example',
    ]);
    expect((await preflight('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  } finally {
    await open.close();
  }
});

it('is ready while all other services serve, names those that do not, and is not ready during shutdown', async () => {
  const own = await startPlatform();
  try {
    const one = await createClient(own);
    expect((await one.call('GET', '/readyz')).body).toEqual({ status: 'ready' });
    await own.stop('notification');
    // Results of the health checks are cached for a second.
    await eventually(async () => {
      const { status, headers, body } = await one.call('GET', '/readyz');
      expect([status, body.code, body.not_serving]).toEqual([503, 'NOT_READY', ['notification']]);
      expect(headers.get('retry-after')).toBe('1');
    });
    own.readiness.stop();
    expect((await one.call('GET', '/readyz')).body.not_serving).toEqual(['gateway']);
    expect((await one.call('GET', '/healthz')).status).toBe(200);
  } finally {
    await own.close();
  }
});

it('answers the next request of an open connection during shutdown, and closes the connection with the response', async () => {
  const own = await startPlatform();
  const socket = connect(Number(new URL(own.url).port), '127.0.0.1');
  const answer = () => new Promise<string>((resolve) => socket.once('data', (data) => resolve(`${data}`)));
  const ask = () => socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n');
  ask();
  expect(await answer()).toMatch(/connection: keep-alive/i);
  const stopsListening = expect.poll(() => own.server.server.listening).toBe(false);
  const closed = own.close();
  await stopsListening;
  ask();
  expect(await answer()).toMatch(/^HTTP\/1.1 200[\s\S]*connection: close/i);
  await closed;
});

it('answers requests in flight before it closes', async () => {
  const own = await startPlatform();
  const one = await createClient(own);
  const reached = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  own.fakes.payment.getPayment = async () => {
    reached.resolve();
    await answered.promise;
    return { payment: paymentOf({}) };
  };
  const answer = one.call('GET', `/v1/payments/${PAYMENT_ID}`, { as: 'operator' });
  await reached.promise;
  const closed = own.close();
  answered.resolve();
  await closed;
  expect((await answer).status).toBe(200);
});
