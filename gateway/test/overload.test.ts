/** A slow service: the number of requests that wait for it is bounded, and the rest are refused before anything is done. */

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { BatchCreatePaymentsRequest } from '@payflowx/proto/payment';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LIMITS } from '../src/admission/limiter.ts';
import { type Client, createClient } from './client.ts';
import { newPayment, PAYMENT_ID, paymentOf } from './examples.ts';
import { type Platform, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;
let tokens: Record<string, string> = {};
let keys: string[] = [];
let letGo = () => {};

beforeEach(async () => {
  platform = await startPlatform({ PAYMENT_BATCHES_IN_FLIGHT: '200' });
  client = await createClient(platform);
  keys = [];
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  platform.fakes.payment.batchCreatePayments = async ({ items }: BatchCreatePaymentsRequest) => {
    keys.push(...items.map(({ request }) => request?.requestId ?? ''));
    await held;
    return {
      results: items.map(({ request }) => ({
        result: { $case: 'response', value: { payment: paymentOf(request ?? {}), replayed: false } },
      })),
    };
  };
  platform.fakes.payment.getPayment = () => ({ payment: paymentOf({}) });
  tokens = { flood: await knownToken('usr_flood'), modest: await knownToken('usr_modest') };
});

/** A token that the gateway has verified before. Until then a request counts by its address. */
async function knownToken(id: string): Promise<string> {
  const token = await platform.identity.tokenFor({ id, roles: ['customer'] });
  await client.call('GET', `/v1/payments/${PAYMENT_ID}`, { token });
  return token;
}

afterEach(async () => {
  letGo();
  await platform.close();
});

/**
 * More than are admitted under overload, and fewer than in a burst. A slow machine may take so long to send them that it refuses
 * the last one.
 */
const MANY = 2 * LIMITS.floor;

const pay = (who: 'flood' | 'modest', key: string, signal?: AbortSignal) =>
  client.call('POST', '/v1/payments', { token: tokens[who], key, body: newPayment, signal });

/** Sends payments of one caller that get no response. */
async function occupy(signal?: AbortSignal) {
  const answers = Array.from({ length: MANY }, (_, n) => pay('flood', `flood-${n}`, signal));
  const settled = Promise.allSettled(answers);
  await expect.poll(() => keys.length, { timeout: 20_000 }).toBeGreaterThan(LIMITS.floor);
  return { settled };
}

/** Tries one key after the other: long waits count as overload only after some time. */
async function untilRefused() {
  for (let n = 0; ; n += 1) {
    const key = `try-${n}`;
    const soon = new Promise<undefined>((resolve) => setTimeout(resolve, 100, undefined));
    const answer = await Promise.race([pay('flood', key), soon]);
    if (answer) return { key, answer };
  }
}

it('refuses a caller that floods, does not use up its key, and serves other callers and routes', async () => {
  const flood = await occupy();
  const { key, answer } = await untilRefused();
  expect([answer.status, answer.body.code]).toEqual([503, 'OVERLOADED']);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.body.instance).toBe('/v1/payments');
  expect(keys).not.toContain(key);

  const modest = pay('modest', 'modest');
  await expect.poll(() => keys).toContain('modest');
  const read = await client.call('GET', `/v1/payments/${PAYMENT_ID}`, { token: tokens.flood });
  expect(read.status).toBe(200);
  expect((await client.call('GET', '/healthz')).status).toBe(200);

  letGo();
  expect((await modest).status).toBe(201);
  const accepted = (await flood.settled).filter(
    (each) => each.status === 'fulfilled' && each.value.status === 201,
  );
  expect(accepted).toHaveLength(keys.filter((each) => each.startsWith('flood')).length);
  // The refused key can be used again.
  const again = async () => (await pay('flood', key)).status;
  await expect.poll(again, { timeout: 5_000 }).toBe(201);
});

it('counts a request of a disconnected client until its work is done', async () => {
  const leaving = new AbortController();
  const flood = await occupy(leaving.signal);
  leaving.abort();
  await flood.settled;
  const { answer } = await untilRefused();
  expect(answer.body.code).toBe('OVERLOADED');

  letGo();
  for (let n = 0; n < 3; n += 1) {
    await expect.poll(async () => (await pay('flood', `after-${n}`)).status, { timeout: 5_000 }).toBe(201);
  }
});

it('gives no slot to requests without a complete body', async () => {
  platform.fakes.auth.login = () => ({ tokens: { accessToken: 'a', expiresIn: 300, refreshToken: 'r' } });
  const { port } = new URL(platform.url);
  const head =
    'POST /v1/auth/login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n{';
  // Each has its own address: together they would have the share of every other caller.
  const sockets = Array.from({ length: LIMITS.floor + 2 }, (_, n) =>
    connect(
      { port: Number(port), host: '127.0.0.1', localAddress: `127.0.1.${n + 1}` },
      function (this: Socket) {
        this.write(head);
      },
    ),
  );
  for (const socket of sockets) socket.on('error', () => {});
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  const login = () => client.call('POST', '/v1/auth/login', { body: { username: 'alice', password: 'x' } });
  expect((await login()).status).toBe(200);
  // Longer than a burst is tolerated.
  await new Promise((resolve) => setTimeout(resolve, 2 * LIMITS.toleranceMs));
  expect((await login()).status).toBe(200);
  for (const socket of sockets) socket.destroy();
});

it('gives no slot to clients that disconnect before their token is verified', async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const slow = await startPlatform({}, { keysReady: gate });
  const caller = await createClient(slow);
  Object.assign(slow.fakes.payment, platform.fakes.payment);
  letGo();
  let arrived = 0;
  slow.server.server.on('request', () => {
    arrived += 1;
  });
  const leaving = new AbortController();
  const left = Array.from({ length: MANY }, (_, n) =>
    caller.call('POST', '/v1/payments', {
      as: 'customer',
      key: `left-${n}`,
      body: newPayment,
      signal: leaving.signal,
    }),
  );
  await expect.poll(() => arrived, { timeout: 20_000 }).toBe(MANY);
  leaving.abort();
  await Promise.allSettled(left);
  open();
  // Tokens that are not known yet count by address, like those of the clients that left.
  const pay = async (n: number) => {
    const options = { as: 'customer', id: `usr_${n}`, key: 'after', body: newPayment } as const;
    return (await caller.call('POST', '/v1/payments', options)).status;
  };
  expect(await pay(1)).toBe(201);
  await new Promise((resolve) => setTimeout(resolve, 2 * LIMITS.toleranceMs));
  expect(await pay(2)).toBe(201);
  await slow.close();
});
