/** The filters of a list of payments as HTTP requests, and the parts that a list leaves out. */
import { PaymentKind, PaymentState } from '@payflowx/proto/payment';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { ALICE, BOB, declinedPayment } from './examples.ts';
import { type Platform, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;
let requests: unknown[];

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
  platform.fakes.payment.listPayments = (request: unknown) => {
    requests.push(request);
    return { payments: [declinedPayment('DAILY_LIMIT_EXCEEDED')], nextPageToken: '' };
  };
});
afterAll(() => platform.close());

async function list(query: string) {
  requests = [];
  return client.call('GET', `/v1/payments?${query}`, { as: 'customer' });
}

it.each([
  ['state=FAILED', { states: [PaymentState.FAILED] }],
  [
    'state=AUTHORIZED,PARTIALLY_CAPTURED',
    { states: [PaymentState.AUTHORIZED, PaymentState.PARTIALLY_CAPTURED] },
  ],
  ['kind=deposit', { kind: PaymentKind.DEPOSIT }],
  [`from_account=${ALICE}&to_account=${BOB}`, { fromAccount: ALICE, toAccount: BOB }],
  ['metadata[order]=4711&metadata[a%20b]=', { metadata: { order: '4711', 'a b': '' } }],
  ['order=asc', { oldestFirst: true }],
  ['order=desc', { oldestFirst: false }],
])('%s', async (query, expected) => {
  expect((await list(query)).status).toBe(200);
  expect(requests).toMatchObject([expected]);
});

it.each([
  'state=FAILED,failed',
  'state=',
  'kind=payments',
  'order=up',
  'expand=all',
  'metadata=x',
  'metadata[a]=1&metadata[a]=2',
  'metadata[a]=1&metadata=x',
  'metadata[]=1',
  'metadata[__proto__]=x',
  'metadata[a]=1&metadata[__proto__]=x',
  `metadata[${'k'.repeat(41)}]=1`,
  'reference[a]=1',
])('%s is refused', async (query) => {
  const { status, body } = await list(query);
  expect([status, body.code, requests]).toEqual([400, 'INVALID_REQUEST', []]);
});

it('leaves out decisions unless they are asked for', async () => {
  expect((await list('limit=1')).body.data[0]).not.toHaveProperty('decision');
  expect((await list('expand=decision')).body.data[0].decision.code).toBe('DAILY_LIMIT_EXCEEDED');
});
