import { describe, expect, it } from 'vitest';
import { createPayFlowX, NO_ANSWER, PayFlowXError } from '../src/index.ts';
import { platform, type Told } from './platform.ts';

const PAYMENT = { from_account: 'acct_a', to_account: 'acct_b', amount: 1_250, currency: 'EUR' };
const problem = (status: number, code: string, more: object = {}): Told => ({
  status,
  body: { type: 'about:blank', title: code, detail: 'As it is.', code, status, request_id: 'req_1', ...more },
});
async function caught(promise: Promise<unknown>): Promise<PayFlowXError> {
  const outcome = await promise.catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(PayFlowXError);
  return outcome as PayFlowXError;
}

describe('a payment', () => {
  it.each<[string, Told | undefined]>([
    ['a connection that is cut', undefined],
    ['429', problem(429, 'TOO_MANY_REQUESTS')],
    ['502 of a proxy', { status: 502, body: 'Bad gateway' }],
    ['503', problem(503, 'OVERLOADED')],
    ['504', problem(504, 'TIMEOUT')],
    [
      'a request still in progress',
      { ...problem(409, 'IDEMPOTENCY_IN_PROGRESS'), headers: { 'retry-after': '0' } },
    ],
    ['an outcome not known yet', { status: 202, body: { state: 'INITIATED' } }],
  ])('is sent again after %s, with the same key and body', async (_, first) => {
    await using there = await platform((_, count) =>
      count === 1 ? first : { status: 201, body: { state: 'COMPLETED' } },
    );
    const payflowx = createPayFlowX({ gateway: there.gateway });
    const { data } = await payflowx.post('/v1/payments', { body: PAYMENT });
    expect(data.state).toBe('COMPLETED');
    const [one, two] = there.asked;
    expect(there.asked).toHaveLength(2);
    expect(one?.key).toMatch(/^[0-9a-f-]{36}$/);
    expect(two).toEqual(one);
  });

  it.each([
    ['409', problem(409, 'INVALID_STATE')],
    ['422', problem(422, 'IDEMPOTENCY_KEY_REUSED')],
    ['404', problem(404, 'ACCOUNT_NOT_FOUND')],
    ['412', problem(412, 'VERSION_MISMATCH')],
    ['500', problem(500, 'INTERNAL')],
  ])('is not sent again after a final %s', async (_, answer) => {
    await using there = await platform(() => answer);
    const payflowx = createPayFlowX({ gateway: there.gateway, retryTimeoutMs: 2_000 });
    const { status } = await caught(payflowx.post('/v1/payments', { body: PAYMENT }));
    expect(status).toBe(answer.status);
    expect(there.asked).toHaveLength(1);
  });

  it('uses the key of its caller', async () => {
    await using there = await platform(() => ({ status: 201 }));
    const payflowx = createPayFlowX({ gateway: there.gateway });
    await payflowx.post('/v1/payments', { body: PAYMENT, key: 'order-4711' });
    expect(there.asked[0]?.key).toBe('order-4711');
  });

  it('throws an error with the declined payment in it', async () => {
    const declined = problem(402, 'INSUFFICIENT_BALANCE', { payment: { id: 'pay_1', state: 'FAILED' } });
    await using there = await platform(() => declined);
    const error = await caught(
      createPayFlowX({ gateway: there.gateway }).post('/v1/payments', { body: PAYMENT }),
    );
    expect(error).toMatchObject({ code: 'INSUFFICIENT_BALANCE', status: 402, requestId: 'req_1' });
    expect([error.declined, error.replayed, error.problem.payment?.state]).toEqual([true, false, 'FAILED']);
    expect(there.asked).toHaveLength(1);
  });

  it.each([true, false])('says if its outcome is a replay: %s', async (replayed) => {
    const headers: Record<string, string> = replayed ? { 'idempotent-replayed': 'true' } : {};
    await using there = await platform((_, count) =>
      count === 1 ? { status: 201, headers } : { ...problem(402, 'INSUFFICIENT_BALANCE'), headers },
    );
    const payflowx = createPayFlowX({ gateway: there.gateway });
    expect((await payflowx.post('/v1/payments', { body: PAYMENT })).replayed).toBe(replayed);
    const error = await caught(payflowx.post('/v1/payments', { body: PAYMENT }));
    expect(error).toMatchObject({ replayed, declined: false });
  });

  it('waits for Retry-After', async () => {
    await using there = await platform((_, count) =>
      count === 1 ? { ...problem(503, 'OVERLOADED'), headers: { 'retry-after': '1' } } : { status: 201 },
    );
    const startedAt = performance.now();
    await createPayFlowX({ gateway: there.gateway }).post('/v1/payments', { body: PAYMENT });
    expect(performance.now() - startedAt).toBeGreaterThan(990);
  });

  it('returns the 202 to a caller that does not want to wait', async () => {
    await using there = await platform(() => ({ status: 202, body: { state: 'INITIATED' } }));
    const payflowx = createPayFlowX({ gateway: there.gateway });
    const { data, response } = await payflowx.post('/v1/payments', { body: PAYMENT, retryTimeoutMs: 0 });
    expect([response.status, data.state, there.asked.length]).toEqual([202, 'INITIATED', 1]);
  });

  it('that failed says whether to send it again, and with which key', async () => {
    const answers = [
      undefined,
      { status: 502, body: 'Bad gateway' },
      problem(409, 'INVALID_STATE', { retryable: false }),
    ];
    const keys = new Set<string | undefined>();
    for (const [answer, retryable] of [
      [answers[0], true],
      [answers[1], true],
      [answers[2], false],
    ] as const) {
      await using there = await platform(() => answer);
      const payflowx = createPayFlowX({ gateway: there.gateway, retryTimeoutMs: 0 });
      const error = await caught(payflowx.post('/v1/payments', { body: PAYMENT }));
      expect([error.idempotencyKey, error.retryable]).toEqual([there.asked[0]?.key, retryable]);
      keys.add(error.idempotencyKey);
    }
    expect(keys.size).toBe(3);
  });

  it('stops when its caller aborts, with an AbortError', async () => {
    const { signal, abort } = withAbort();
    await using there = await platform((_, count) => {
      if (count === 2) abort();
      return problem(503, 'OVERLOADED');
    });
    const payflowx = createPayFlowX({ gateway: there.gateway });
    const aborted = payflowx.post('/v1/payments', { body: PAYMENT, signal });
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    expect(there.asked).toHaveLength(2);
  });
});

function withAbort() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

describe('a request without a key', () => {
  const logOut = (gateway: string) =>
    createPayFlowX({ gateway }).post('/v1/auth/logout', { body: { refresh_token: 'r' } });

  it('is repeated only if it was refused before anything was done', async () => {
    await using there = await platform((_, count) =>
      count === 1 ? problem(429, 'TOO_MANY_REQUESTS') : { status: 204 },
    );
    await logOut(there.gateway);
    expect(there.asked.map(({ key }) => key)).toEqual([undefined, undefined]);
  });

  it.each<[string, Told | undefined, string]>([
    ['a connection that is cut', undefined, NO_ANSWER],
    ['503', problem(503, 'UNAVAILABLE'), 'UNAVAILABLE'],
    ['504', problem(504, 'TIMEOUT'), 'TIMEOUT'],
    ['502 of a proxy', { status: 502, body: 'Bad gateway' }, 'HTTP_502'],
  ])('is an error after %s', async (_, first, code) => {
    await using there = await platform(() => first);
    expect((await caught(logOut(there.gateway))).code).toBe(code);
    expect(there.asked).toHaveLength(1);
  });
});

it('repeats failed reads', async () => {
  await using there = await platform((_, count) => (count === 1 ? undefined : { body: { id: 'usr_1' } }));
  expect((await createPayFlowX({ gateway: there.gateway }).get('/v1/auth/me')).data.id).toBe('usr_1');
});

it('lists page after page, and loads no page that is not needed', async () => {
  await using there = await platform(({ path }) => {
    const cursor = new URL(path, 'http://x').searchParams.get('cursor');
    const from = Number(cursor ?? 0);
    return {
      body: { data: [{ id: from }, { id: from + 1 }], next_cursor: from < 4 ? String(from + 2) : null },
    };
  });
  const payflowx = createPayFlowX({ gateway: there.gateway });
  const all = await Array.fromAsync(
    payflowx.list('/v1/payments', { params: { query: { currency: 'EUR' } } }),
  );
  expect(all.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(there.asked[1]?.path).toBe('/v1/payments?currency=EUR&cursor=2');
  for await (const _ of payflowx.list('/v1/payments')) break;
  expect(there.asked).toHaveLength(4);
});

describe('the token', () => {
  /** A platform that accepts only the newest token. */
  function issuing({ expiresIn = 300, refreshable = true } = {}) {
    let issued = 0;
    const grants: string[] = [];
    const script = ({ path, token, body }: { path: string; token: string | undefined; body: unknown }) => {
      if (path.startsWith('/v1/auth/') && path !== '/v1/auth/me') {
        grants.push(path.slice('/v1/auth/'.length));
        if (path === '/v1/auth/login' && (body as { password: string }).password !== 'right')
          return problem(401, 'INVALID_CREDENTIALS');
        if (path === '/v1/auth/refresh' && !refreshable) return problem(401, 'INVALID_REFRESH_TOKEN');
        issued += 1;
        const pair = { access_token: `t${issued}`, refresh_token: `r${issued}`, expires_in: expiresIn };
        return { body: { token_type: 'Bearer', ...pair } };
      }
      return token === `t${issued}` ? { body: { id: 'usr_1' } } : problem(401, 'UNAUTHENTICATED');
    };
    return { script, grants, revoke: () => (issued += 1) };
  }
  const alice = { username: 'alice', password: 'right' };

  it('is obtained once for all concurrent calls, and kept', async () => {
    const { script, grants } = issuing();
    await using there = await platform(script);
    const payflowx = createPayFlowX({ gateway: there.gateway, as: alice });
    await Promise.all(Array.from({ length: 5 }, () => payflowx.get('/v1/auth/me')));
    await payflowx.get('/v1/auth/me');
    expect(grants).toEqual(['login']);
  });

  it('is renewed before it expires, once', async () => {
    const { script, grants } = issuing({ expiresIn: 30 });
    await using there = await platform(script);
    const payflowx = createPayFlowX({ gateway: there.gateway, as: alice });
    await payflowx.get('/v1/auth/me');
    await Promise.all(Array.from({ length: 5 }, () => payflowx.accessToken()));
    expect(grants).toEqual(['login', 'refresh']);
  });

  it('survives a lost response to its renewal, which is retried with the same key', async () => {
    let refreshes = 0;
    await using there = await platform(({ path }) => {
      if (path === '/v1/auth/me') return { body: { id: 'usr_1' } };
      if (path === '/v1/auth/refresh') refreshes += 1;
      if (refreshes === 1) return undefined;
      return { body: { access_token: 't', refresh_token: 'r', token_type: 'Bearer', expires_in: 30 } };
    });
    const payflowx = createPayFlowX({ gateway: there.gateway, as: alice });
    await payflowx.get('/v1/auth/me');
    await payflowx.get('/v1/auth/me');
    const renewals = there.asked.filter(({ path }) => path === '/v1/auth/refresh');
    expect(renewals).toHaveLength(2);
    expect(renewals[1]).toEqual(renewals[0]);
    expect(renewals[0]?.key).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each([true, false])('is replaced when it is refused (refreshable: %s)', async (refreshable) => {
    const { script, grants, revoke } = issuing({ refreshable });
    await using there = await platform(script);
    const payflowx = createPayFlowX({ gateway: there.gateway, as: alice });
    await payflowx.get('/v1/auth/me');
    revoke();
    await Promise.all(Array.from({ length: 5 }, () => payflowx.get('/v1/auth/me')));
    expect(grants).toEqual(refreshable ? ['login', 'refresh'] : ['login', 'refresh', 'login']);
  });

  it('is refused at once for a wrong password', async () => {
    const { script, grants } = issuing();
    await using there = await platform(script);
    const payflowx = createPayFlowX({ gateway: there.gateway, as: { ...alice, password: 'wrong' } });
    expect((await caught(payflowx.get('/v1/auth/me'))).code).toBe('INVALID_CREDENTIALS');
    expect(grants).toEqual(['login']);
  });

  it('of an API client is obtained with its secret, and again after it was refused', async () => {
    let issued = 0;
    await using there = await platform(({ path, token, body }) => {
      if (path !== '/v1/auth/token')
        return token === `t${issued}` ? { body: { id: 'usr_1' } } : problem(401, 'UNAUTHENTICATED');
      expect(body).toEqual({ client_id: 'cli_1', client_secret: 's' });
      issued += 1;
      return { body: { access_token: `t${issued}`, token_type: 'Bearer', expires_in: 300 } };
    });
    const as = { clientId: 'cli_1', clientSecret: 's' };
    const payflowx = createPayFlowX({ gateway: there.gateway, as });
    await payflowx.get('/v1/auth/me');
    await payflowx.get('/v1/auth/me');
    expect(issued).toBe(1);
    issued += 1;
    await payflowx.get('/v1/auth/me');
    expect(issued).toBe(3);
  });

  it('may come from elsewhere', async () => {
    await using there = await platform(({ token }) => ({ body: { id: token } }));
    const payflowx = createPayFlowX({ gateway: there.gateway, as: { accessToken: () => 'mine' } });
    expect((await payflowx.get('/v1/auth/me')).data.id).toBe('mine');
  });
  it('from elsewhere is asked for once more, with the one that was refused', async () => {
    await using there = await platform(({ token }) =>
      token === 'old' ? { status: 401, body: { code: 'UNAUTHENTICATED' } } : { body: { id: token } },
    );
    const asked: (string | undefined)[] = [];
    const accessToken = (refused?: string) => {
      asked.push(refused);
      return refused === undefined ? 'old' : 'new';
    };
    const payflowx = createPayFlowX({ gateway: there.gateway, as: { accessToken } });
    expect((await payflowx.get('/v1/auth/me')).data.id).toBe('new');
    expect(asked).toEqual([undefined, 'old']);
  });
});
