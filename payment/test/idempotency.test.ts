import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { eventually, testLog } from '@payflowx/chassis/testing';
import { CaptureMode } from '@payflowx/proto/authorization';
import { PaymentState } from '@payflowx/proto/payment';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { purgeIdempotencyKeys } from '../src/app/purge-idempotency-keys.ts';
import { toPaymentOrder } from '../src/domain/order.ts';
import type { Database } from '../src/store/database.ts';
import { countBlocks, purgeKeys } from '../src/store/idempotency-keys.ts';
import { acceptStep, lifecycleOf } from './lifecycle.ts';
import { CALL, FUNDS, type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());
afterEach(() => platform.authorization.failItems());

const callAs = async (caller: Platform['customer']) => ({
  ...CALL,
  accessToken: await platform.tokenOf(caller),
});
const paymentsOf = (requestId: string) =>
  platform.db.selectFrom('payments').select('id').where('request_id', '=', requestId).execute();

describe('a repeated key', () => {
  it('with the same request gets the first response, and pays once', async () => {
    const { client, customer } = platform;
    const request = await platform.newRequest();
    const first = await client.createPayment(request, await callAs(customer));
    const again = await client.createPayment(request, await callAs(customer));
    expect(again).toEqual({ ...first, replayed: true });
    expect(await paymentsOf(request.requestId)).toHaveLength(1);
  });

  it('with a declined request gets that decline, even if it would be approved now', async () => {
    const { client, customer, operator, accountOf } = platform;
    const fromAccount = await accountOf(customer, { funds: 0n });
    const request = await platform.newRequest({ fromAccount });
    const first = await client.createPayment(request, await callAs(customer));
    const deposit = { requestId: newId('req'), accountId: fromAccount, amountMinor: FUNDS };
    await client.createDeposit({ ...deposit, currency: 'EUR', reference: '' }, await callAs(operator));
    const again = await client.createPayment(request, await callAs(customer));
    expect(again).toEqual({ ...first, replayed: true });
    expect(again.payment?.state).toBe(PaymentState.FAILED);
  });

  it.each([
    ['captured', CaptureMode.MANUAL, (id: string) => life.capture(id)],
    ['cancelled', CaptureMode.MANUAL, (id: string) => life.cancel(id)],
    ['refunded', CaptureMode.AUTOMATIC, (id: string) => life.refund(id)],
  ])(
    'gets the first response although the payment was %s since, with its metadata in order',
    async (_, captureMode, step) => {
      const { client, customer } = platform;
      const request = await platform.newRequest({ captureMode, metadata: { zone: '1', b: '2', a: '3' } });
      const first = await client.createPayment(request, await callAs(customer));
      await step(first.payment?.id as string);
      const again = await client.createPayment(request, await callAs(customer));
      expect(again).toEqual({ ...first, replayed: true });
      expect(Object.keys(again.payment?.metadata ?? {})).toEqual(['zone', 'b', 'a']);
    },
  );

  it.each([
    ['another amount', { amountMinor: 1_251n }],
    ['another description', { description: 'Dinner' }],
    ['other metadata', { metadata: { table: '5' } }],
  ])('with %s is refused', async (_, given) => {
    const { client, customer } = platform;
    const request = await platform.newRequest();
    await client.createPayment(request, await callAs(customer));
    const refused = client.createPayment({ ...request, ...given }, await callAs(customer));
    await expect(refused).rejects.toMatchObject({ code: 9, reason: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('for another operation is refused', async () => {
    const { client, operator, customer, accountOf } = platform;
    const request = {
      requestId: newId('req'),
      accountId: await accountOf(customer),
      amountMinor: 5n,
      currency: 'EUR',
      reference: '',
    };
    await client.createDeposit(request, await callAs(operator));
    const refused = client.createWithdrawal(request, await callAs(operator));
    await expect(refused).rejects.toMatchObject({ reason: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await client.createDeposit(request, await callAs(operator))).toMatchObject({ replayed: true });
  });

  it('of another caller is another key', async () => {
    const { client, customer, operator } = platform;
    const request = await platform.newRequest();
    const first = await client.createPayment(request, await callAs(customer));
    const other = await client.createPayment(request, await callAs(operator));
    expect(other.replayed).toBe(false);
    expect(other.payment?.id).not.toBe(first.payment?.id);
  });

  it('while the first request is in progress gets IDEMPOTENCY_IN_PROGRESS with a retry delay', async () => {
    const { client, customer, authorization } = platform;
    const request = await platform.newRequest();
    const open = authorization.holdAnswers();
    const first = client.createPayment(request, await callAs(customer));
    await expect.poll(() => paymentsOf(request.requestId)).toHaveLength(1);

    const second = client.createPayment(request, await callAs(customer));
    await expect(second).rejects.toMatchObject({
      code: 10,
      reason: 'IDEMPOTENCY_IN_PROGRESS',
      retryAfterMs: 1_000,
    });
    open();
    expect((await first).payment?.state).toBe(PaymentState.COMPLETED);
    expect(await client.createPayment(request, await callAs(customer))).toEqual({
      ...(await first),
      replayed: true,
    });
  });

  it('in a call that gRPC retries continues the first attempt, in any instance', async () => {
    const { flow, customer, tokenOf, startServer, authorization } = platform;
    const second = await startServer();
    const request = await platform.newRequest();
    const { payment: begun } = await flow.accept({
      operation: 'CreatePayment',
      order: toPaymentOrder({ ...request, captureMode: 'AUTOMATIC', captureBy: 'PAYER' }),
      origin: { caller: customer, requestId: request.requestId, traceparent: '' },
      deadline: new Date(Date.now() + 5_000),
      isRetry: false,
    });
    const again = await second.callAsRetry('createPayment', request, await tokenOf(customer));
    expect(again).toMatchObject({
      replayed: false,
      payment: { id: begun.id, state: PaymentState.COMPLETED, version: 2n },
    });
    expect(await authorization.approvals(begun.id)).toBe(1);
  });

  it('twice in one batch is two requests: one is processed, and the other is refused as in progress', async () => {
    const { client, customer, tokenOf } = platform;
    const request = await platform.newRequest();
    const item = { accessToken: await tokenOf(customer), traceparent: '', deadline: undefined, request };
    const { results } = await client.batchCreatePayments({ items: [item, item], sentAt: undefined }, CALL);
    expect(results.map(({ result }) => result?.$case).sort()).toEqual(['error', 'response']);
    expect(await paymentsOf(request.requestId)).toHaveLength(1);
  });
});

it('50 concurrent requests with one key, through two instances, make one payment and one response', async () => {
  const { client, customer, startServer, authorization } = platform;
  const second = await startServer();
  const request = await platform.newRequest();
  const call = await callAs(customer);
  const answers = await Promise.allSettled(
    Array.from({ length: 50 }, (_, index) =>
      (index % 2 ? client : second.client).createPayment(request, call),
    ),
  );
  expect(await paymentsOf(request.requestId)).toHaveLength(1);
  const payments = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.payment] : []));
  const refusals = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason.reason] : []));
  expect(payments.length).toBeGreaterThan(0);
  for (const payment of payments) expect(payment).toEqual(payments[0]);
  expect(new Set(refusals)).toEqual(new Set(refusals.length > 0 ? ['IDEMPOTENCY_IN_PROGRESS'] : []));
  expect(await authorization.approvals(payments[0]?.id ?? '')).toBe(1);
  const [paid] = await authorization.movedIn(request.toAccount);
  expect(paid).toEqual({ postedMinor: request.amountMinor, heldMinor: 0n });
});

it('many keys from both instances at once, in opposite orders, cause no deadlock error for callers', async () => {
  const { client, customer, startServer, tokenOf } = platform;
  const second = await startServer();
  const accessToken = await tokenOf(customer);
  const requests = await Promise.all(Array.from({ length: 150 }, () => platform.newRequest()));
  const items = requests.map((request) => ({ accessToken, traceparent: '', deadline: undefined, request }));
  const [one, two] = await Promise.all([
    client.batchCreatePayments({ items, sentAt: undefined }, CALL),
    second.client.batchCreatePayments({ items: items.toReversed(), sentAt: undefined }, CALL),
  ]);
  const codes = [...one.results, ...two.results].flatMap(({ result }) =>
    result?.$case === 'error' ? [result.value.code] : [],
  );
  expect(new Set(codes)).toEqual(new Set(codes.length > 0 ? [10] : []));
  const { count } = await platform.db
    .selectFrom('payments')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where(
      'request_id',
      'in',
      items.map(({ request }) => request.requestId),
    )
    .executeTakeFirstOrThrow();
  expect(count).toBe(150n);
});

const WHOLE_TABLE = 1;

it('keys are deleted after their time, but never before their payment or step is final', async () => {
  const { client, customer, db, authorization } = platform;
  const { id } = await life.hold();
  const openStep = await acceptStep(platform, id);
  const answered = await platform.newRequest();
  await client.createPayment(answered, await callAs(customer));
  authorization.failItems(() => true);
  const open = await platform.newRequest();
  await client.createPayment(open, await callAs(customer));

  const kept = async () => {
    const keys = [answered.requestId, open.requestId, openStep.requestId];
    const rows = await db.selectFrom('idempotency_keys').select('key').where('key', 'in', keys).execute();
    return rows.map(({ key }) => key);
  };
  const hours = (count: number) => ({
    db,
    log: testLog,
    retentionMs: 25 * 3_600_000,
    now: () => new Date(Date.now() + count * 3_600_000),
  });
  await purgeIdempotencyKeys(hours(24), WHOLE_TABLE);
  expect(await kept()).toHaveLength(3);
  await purgeIdempotencyKeys(hours(26), WHOLE_TABLE);
  expect((await kept()).toSorted()).toEqual([open.requestId, openStep.requestId].toSorted());

  // A capture that is pending longer than keys are kept. Its caller still gets the outcome, and the capture happens once.
  await platform.recoverOperations(2_000);
  expect(await life.capture(id, { requestId: openStep.requestId, final: true })).toMatchObject({
    replayed: true,
  });
  await purgeIdempotencyKeys(hours(26), WHOLE_TABLE);
  expect(await kept()).toEqual([open.requestId]);
});

/** The serving role may not change the time of a key. */
async function makeOlder(keys: string[], hours: number) {
  const admin = openDatabase<Database>({ url: platform.adminUrl, poolMax: 1 }, testLog);
  const created_at = new Date(Date.now() - hours * 3_600_000);
  await admin.updateTable('idempotency_keys').set({ created_at }).where('key', 'in', keys).execute();
  await admin.destroy();
}

it('a key whose outcome came late is kept from its outcome on', async () => {
  const { client, customer, db, authorization } = platform;
  const { id } = await life.hold();
  const step = await acceptStep(platform, id);
  authorization.failItems(() => true);
  const payment = await platform.newRequest();
  await client.createPayment(payment, await callAs(customer));
  authorization.failItems();
  const keys = [payment.requestId, step.requestId];
  await makeOlder(keys, 72);
  await eventually(async () => {
    await platform.recover(60_000);
    const states = db.selectFrom('payments').select('state').where('request_id', '=', payment.requestId);
    expect(await states.execute()).toEqual([{ state: 'COMPLETED' }]);
  });
  await platform.recoverOperations(2_000);
  const purge = (hours: number) =>
    purgeIdempotencyKeys(
      { db, log: testLog, retentionMs: 25 * 3_600_000, now: () => new Date(Date.now() + hours * 3_600_000) },
      WHOLE_TABLE,
    );
  const kept = () => db.selectFrom('idempotency_keys').select('key').where('key', 'in', keys).execute();
  await purge(24);
  expect(await kept()).toHaveLength(2);
  expect(await client.createPayment(payment, await callAs(customer))).toMatchObject({ replayed: true });
  expect(await life.capture(id, { requestId: step.requestId, final: true })).toMatchObject({
    replayed: true,
  });
  await purge(27);
  expect(await kept()).toEqual([]);
});

it('a key that is used again while the purge deletes it makes one new payment', async () => {
  const { client, customer, db } = platform;
  const request = await platform.newRequest();
  const call = await callAs(customer);
  const first = await client.createPayment(request, call);
  // While the key is locked, a call may get IDEMPOTENCY_IN_PROGRESS. Its caller then retries.
  const useAgain = () => eventually(() => client.createPayment(request, call));
  const { used } = await db.transaction().execute(async (trx) => {
    const inAnHour = new Date(Date.now() + 3_600_000);
    await purgeKeys(trx, { from: 0, to: await countBlocks(trx) }, inAnHour);
    return { used: Promise.all([useAgain(), useAgain()]) };
  });
  const [one, two] = await used;
  expect(one.payment?.id).toBe(two.payment?.id);
  expect(one.payment?.id).not.toBe(first.payment?.id);
  expect(await paymentsOf(request.requestId)).toHaveLength(2);
});
