/** The gateway's part of the sandbox. Every other test of routes runs with the sandbox on. */
import { status as grpc } from '@grpc/grpc-js';
import { PLAYED_DECLINES } from '@payflowx/proto/sandbox';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config.ts';
import { DECLINES } from '../src/problems/problem-codes.ts';
import { type Client, createClient } from './client.ts';
import { ALICE, newPayment, paymentOf } from './examples.ts';
import { type Platform, Refusal, startPlatform } from './platform.ts';

let platform: Platform;
let plain: Platform;
let client: Client;
let plainClient: Client;
/** The references of the payments that reached the payment service, and the milliseconds that they had left. */
const passedOn: { reference: string; leftMs: number }[] = [];

beforeAll(async () => {
  [platform, plain] = await Promise.all([startPlatform(), startPlatform({ SANDBOX: 'off' })]);
  [client, plainClient] = await Promise.all([createClient(platform), createClient(plain)]);
  for (const { fakes } of [platform, plain]) {
    fakes.payment.batchCreatePayments = ({ items }) => ({
      results: items.map(({ request, deadline }: { request: { reference: string }; deadline: Date }) => {
        passedOn.push({ reference: request.reference, leftMs: deadline.getTime() - Date.now() });
        return { result: { $case: 'response', value: { payment: paymentOf({}), replayed: false } } };
      }),
    });
  }
});
afterEach(() => void passedOn.splice(0));
afterAll(() => Promise.all([platform.close(), plain.close()]));

const pay = (reference: string, with_ = client) =>
  with_.call('POST', '/v1/payments', { as: 'customer', key: 'k', body: { ...newPayment, reference } });

describe('a magic reference', () => {
  it.each([
    [503, 'OVERLOADED'],
    [429, 'TOO_MANY_REQUESTS'],
  ])('sandbox:status:%d is answered before a key is taken', async (status, code) => {
    const answer = await pay(`sandbox:status:${status}`);
    expect(answer).toMatchObject({ status, body: { code, retryable: true } });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(passedOn).toEqual([]);
  });

  it('sandbox:slow waits, and the payment then has its full time', async () => {
    const startedAt = performance.now();
    expect((await pay('sandbox:slow:400')).status).toBe(201);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(399);
    const [slow] = passedOn.splice(0);
    await pay('order-4711');
    const [usual] = passedOn;
    expect(slow?.leftMs).toBeGreaterThan((usual?.leftMs ?? Number.NaN) - 300);
  });

  it.each(['sandbox:decline:RULE_DECLINED', 'sandbox:unknown:5', 'sandbox:webhook:fail:2'])(
    '%s is passed on: another service acts on it',
    async (reference) => {
      expect((await pay(reference)).status).toBe(201);
      expect(passedOn).toMatchObject([{ reference }]);
    },
  );

  it.each(['sandbox:', 'sandbox:status:500', 'sandbox:decline:INSUFFICENT_BALANCE'])(
    'that is none, %j, is refused: nothing is paid by a typing error',
    async (reference) => {
      const { status, body } = await pay(reference);
      expect({ status, errors: body.errors }).toMatchObject({
        status: 400,
        errors: [{ pointer: '/reference' }],
      });
      expect(passedOn).toEqual([]);
    },
  );

  it('needs a valid token and a valid request, as every payment', async () => {
    const body = { ...newPayment, reference: 'sandbox:status:503' };
    expect((await client.call('POST', '/v1/payments', { key: 'k', body })).status).toBe(401);
    expect((await client.call('POST', '/v1/payments', { as: 'auditor', key: 'k', body })).status).toBe(403);
    expect((await client.call('POST', '/v1/payments', { as: 'customer', body })).status).toBe(400);
  });

  it('plays every decline that the document names, and the three with other statuses', () => {
    const others = ['FROM_ACCOUNT_NOT_FOUND', 'MANDATE_NOT_FOUND', 'OWN_ACCOUNT'];
    expect(PLAYED_DECLINES.toSorted()).toEqual([...DECLINES, ...others].toSorted());
  });
});

const ADVANCE = `/v1/sandbox/accounts/${ALICE}/advance`;

describe('the test clock', () => {
  const advance = (key: string | undefined, body: unknown) =>
    client.call('POST', ADVANCE, { as: 'customer', body, ...(key !== undefined && { key }) });

  it('passes on account, key and seconds, and returns the totals', async () => {
    const requests: unknown[] = [];
    platform.fakes.paymentSandbox.advanceTestClock = (request) => {
      requests.push(request);
      return { movedHolds: 2, advancedSeconds: 172_800n, replayed: requests.length > 1 };
    };
    const first = await advance('k', { seconds: 86_400 });
    expect(first).toMatchObject({
      status: 200,
      body: { account_id: ALICE, advanced_seconds: 172_800, moved_holds: 2 },
    });
    expect(first.headers.has('idempotent-replayed')).toBe(false);
    expect(requests).toEqual([{ accountId: ALICE, requestId: 'k', seconds: 86_400 }]);
    const again = await advance('k', { seconds: 86_400 });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual(first.body);
  });

  it.each([
    ['ACCOUNT_NOT_FOUND', grpc.NOT_FOUND, 404],
    ['TOO_MANY_HOLDS', grpc.FAILED_PRECONDITION, 409],
    ['IDEMPOTENCY_IN_PROGRESS', grpc.ABORTED, 409],
    ['IDEMPOTENCY_KEY_REUSED', grpc.FAILED_PRECONDITION, 422],
  ])('translates %s', async (reason, code, status) => {
    platform.fakes.paymentSandbox.advanceTestClock = () => {
      throw new Refusal(reason, code);
    };
    expect(await advance('k', { seconds: 1 })).toMatchObject({ status, body: { code: reason } });
  });

  it.each([[{}], [{ seconds: 0 }], [{ seconds: 31_536_001 }], [{ seconds: 1.5 }], [{ seconds: 1, more: 1 }]])(
    'refuses the body %j',
    async (body) => {
      expect(await advance('k', body)).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
    },
  );

  it('needs a key', async () => {
    const { status, body } = await advance(undefined, { seconds: 1 });
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'IDEMPOTENCY_KEY_REQUIRED' });
  });
});

describe('without the sandbox', () => {
  it('magic references are ordinary texts', async () => {
    for (const reference of ['sandbox:status:503', 'sandbox:slow:30000', 'sandbox:']) {
      expect((await pay(reference, plainClient)).status).toBe(201);
    }
    expect(passedOn).toHaveLength(3);
  });

  it('there is no test clock, neither as a route nor in the document', async () => {
    const body = { seconds: 1 };
    const answer = await plainClient.call('POST', ADVANCE, { as: 'operator', key: 'k', body });
    expect(answer).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    const paths = Object.keys(plainClient.document.paths);
    expect(paths.filter((path) => path.startsWith('/v1/sandbox'))).toEqual([]);
  });

  it('is the default, and production allows nothing else', () => {
    expect(loadConfig({}).sandbox).toBe(false);
    const refused = 'SANDBOX must be off where NODE_ENV is production';
    expect(() => loadConfig({ SANDBOX: 'on', NODE_ENV: 'production' })).toThrow(refused);
  });
});
