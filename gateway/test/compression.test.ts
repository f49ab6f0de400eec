/** Reads are compressed above a size. Responses that may have secrets, small ones and streams are not. */
import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMPRESSED_FROM_BYTES } from '../src/http/compression.ts';
import { completeAll, newPayment, PAYMENT_ID, paymentOf, tokens } from './examples.ts';
import { type Platform, startPlatform } from './platform.ts';

let platform: Platform;
let authorization: string;

beforeAll(async () => {
  platform = await startPlatform();
  authorization = `Bearer ${await platform.identity.tokenFor({ id: 'usr_c', roles: ['customer'] })}`;
  const payments = Array.from({ length: 20 }, () => paymentOf({}));
  Object.assign(platform.fakes.payment, {
    listPayments: () => ({ payments, nextPageToken: '' }),
    getPayment: () => ({ payment: paymentOf({ metadata: { note: 'x'.repeat(500) } }) }),
    batchCreatePayments: completeAll,
  });
  platform.fakes.authorization.listAccounts = () => ({ accounts: [], nextPageToken: '' });
  platform.fakes.auth.login = () => ({ tokens: tokens && { ...tokens, accessToken: 'a'.repeat(4_000) } });
});
afterAll(() => platform.close());

interface Raw {
  status: number | undefined;
  encoding: string | undefined;
  vary: string | undefined;
  bytes: Buffer;
}

/** Fetch would decompress the body. */
function send(method: string, path: string, accept: string, body?: object): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization,
      'accept-encoding': accept,
      ...(body && { 'content-type': 'application/json', 'idempotency-key': crypto.randomUUID() }),
    };
    const sent = request(`${platform.url}${path}`, { method, headers }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode,
          encoding: answer.headers['content-encoding'],
          vary: answer.headers.vary,
          bytes: Buffer.concat(chunks),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(body && JSON.stringify(body));
  });
}

describe('a long list', () => {
  it.each([
    ['gzip', 'gzip', gunzipSync],
    ['br', 'br', brotliDecompressSync],
    ['gzip, deflate, br', 'br', brotliDecompressSync],
  ] as const)('for %s is sent as %s, with the same JSON', async (accept, encoding, decompress) => {
    const plain = await send('GET', '/v1/payments', 'identity');
    expect([plain.status, plain.encoding]).toEqual([200, undefined]);
    const packed = await send('GET', '/v1/payments', accept);
    expect([packed.status, packed.encoding]).toEqual([200, encoding]);
    expect(packed.vary).toContain('accept-encoding');
    expect(decompress(packed.bytes).toString()).toBe(plain.bytes.toString());
    expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 4);
  });
});

it('a short list is sent as it is', async () => {
  const { status, encoding, bytes } = await send('GET', '/v1/accounts', 'gzip, br');
  expect(status).toBe(200);
  expect(bytes.length).toBeLessThan(COMPRESSED_FROM_BYTES);
  expect(encoding).toBeUndefined();
});

it('a long payment is compressed when it is read, and not when it is made', async () => {
  const read = await send('GET', `/v1/payments/${PAYMENT_ID}`, 'gzip');
  expect([read.status, read.encoding]).toEqual([200, 'gzip']);
  const body = { ...newPayment, metadata: { a: 'x'.repeat(500), b: 'x'.repeat(500) } };
  const made = await send('POST', '/v1/payments', 'gzip, br', body);
  expect([made.status, made.encoding]).toEqual([201, undefined]);
});

it('a plain payment’s response is below the threshold', async () => {
  const { status, bytes } = await send('POST', '/v1/payments', 'gzip', newPayment);
  expect(status).toBe(201);
  // Without the checks of its decision, whose number depends on the limits of the account.
  const { decision: _, ...payment } = JSON.parse(bytes.toString());
  expect(JSON.stringify(payment).length).toBeLessThan(COMPRESSED_FROM_BYTES);
});

it('a response with a token is never compressed', async () => {
  const { status, encoding, bytes } = await send('POST', '/v1/auth/login', 'gzip, br', {
    username: 'alice',
    password: 'secret',
  });
  expect([status, encoding]).toEqual([200, undefined]);
  expect(bytes.length).toBeGreaterThan(4_000);
});

it('a compressed request is not unpacked: a few bytes could become gigabytes', async () => {
  const response = await fetch(`${platform.url}/v1/payments`, {
    method: 'POST',
    headers: {
      authorization,
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      'idempotency-key': 'k',
    },
    body: '\u001f\u008b',
  });
  expect(response.status).toBe(400);
  await response.arrayBuffer();
});
