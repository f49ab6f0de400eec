/** Batches of payment creations: few calls, and an outcome of its own for each creation. */
import { status as grpc } from '@grpc/grpc-js';
import { toRpcStatus } from '@payflowx/chassis';
import { eventually, testLog } from '@payflowx/chassis/testing';
import type {
  BatchCreatePaymentsRequest,
  CreatePaymentItem,
  CreatePaymentResult,
} from '@payflowx/proto/payment';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { newPayment, paymentOf } from './examples.ts';
import { type Platform, Refusal, refusals, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;
let batches: BatchCreatePaymentsRequest[] = [];

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
afterAll(() => platform.close());
beforeEach(() => {
  batches = [];
});

function answerWith(
  each: (item: CreatePaymentItem) => CreatePaymentResult | Promise<CreatePaymentResult>,
): void {
  platform.fakes.payment.batchCreatePayments = async (request: BatchCreatePaymentsRequest) => {
    batches.push(request);
    // The deadlines of the items are compared with this, independent of the other clock.
    expect(request.sentAt?.getTime()).toBeLessThan(request.items[0]?.deadline?.getTime() ?? 0);
    return { results: await Promise.all(request.items.map(each)) };
  };
}
const complete = ({ request }: CreatePaymentItem): CreatePaymentResult => ({
  result: { $case: 'response', value: { payment: paymentOf(request ?? {}), replayed: false } },
});
const pay = (n: number, headers = {}) =>
  client.call('POST', '/v1/payments', {
    as: 'customer',
    id: `usr_${n}`,
    key: `key-${n}`,
    headers,
    body: { ...newPayment, amount: n + 1, reference: `ref-${n}` },
  });

it('carries 50 concurrent payments in few calls, each with its own response or error', async () => {
  // The first calls wait until the maximum number of calls is in flight, or all payments have arrived.
  const arrived = () => batches.flatMap(({ items }) => items).length;
  const isEnough = () => expect(batches.length >= 4 || arrived() === 50).toBe(true);
  answerWith(async (item) => {
    await eventually(isEnough);
    const n = Number(item.request?.requestId.slice(4));
    if (n % 10 !== 7) return complete(item);
    const refusal = new Refusal('IDEMPOTENCY_KEY_REUSED', grpc.FAILED_PRECONDITION);
    return { result: { $case: 'error', value: toRpcStatus(refusal, refusals, testLog) } };
  });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => pay(n)));

  answers.forEach(({ status, body }, n) => {
    if (n % 10 === 7) expect([status, body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    else expect([status, body.amount, body.reference]).toEqual([201, n + 1, `ref-${n}`]);
  });
  expect(arrived()).toBe(50);
  expect(batches.length).toBeLessThan(25);
});

it('sends each payment with its caller’s token, its trace and a deadline, and calls with the gateway’s certificate', async () => {
  let sender: string | undefined;
  platform.fakes.payment.batchCreatePayments = (request: BatchCreatePaymentsRequest, call) => {
    batches.push(request);
    sender = call.service;
    return { results: request.items.map(complete) };
  };
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const before = Date.now();
  await pay(3, { traceparent });

  const [item] = batches[0]?.items ?? [];
  expect(await platform.identity.verifier.verify(item?.accessToken ?? '')).toMatchObject({
    id: 'usr_3',
    roles: ['customer'],
  });
  expect(sender).toBe('gateway');
  // The trace stays, but not the flag of an outside caller.
  expect(item?.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-00$/);
  expect(item?.deadline?.getTime()).toBeGreaterThan(before);
  expect(item?.request).toMatchObject({
    requestId: 'key-3',
    amountMinor: 4n,
    currency: 'EUR',
    reference: 'ref-3',
  });
});

it('does not delay other batches because of a slow one', async () => {
  const { promise: slowly, resolve: answer } = Promise.withResolvers<void>();
  answerWith(async (item) => {
    if (item.request?.requestId === 'key-0') await slowly;
    return complete(item);
  });
  const slow = pay(0);
  await eventually(() => expect(batches).toHaveLength(1));
  const others = await Promise.all(Array.from({ length: 30 }, (_, n) => pay(n + 1)));
  expect(others.map(({ status }) => status)).toEqual(Array(30).fill(201));
  answer();
  expect((await slow).status).toBe(201);
});

it('refuses the payments of a batch, and no others, when its call fails', async () => {
  let failing = true;
  platform.fakes.payment.batchCreatePayments = (request: BatchCreatePaymentsRequest) => {
    if (failing) throw new Refusal('INTERNAL', grpc.INTERNAL);
    return { results: request.items.map(complete) };
  };
  expect((await pay(1)).status).toBe(500);
  failing = false;
  expect((await pay(1)).status).toBe(201);
});
