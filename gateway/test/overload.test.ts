/** A slow service: the number of requests that wait for it is bounded, and the rest are refused before anything is done. */
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
  platform = await startPlatform({ PAYMENT_DEADLINE_MS: '60000', PAYMENT_BATCHES_IN_FLIGHT: '200' });
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
