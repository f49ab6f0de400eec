import { PaymentState } from '@payflowx/proto/payment';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { toPaymentOrder } from '../src/domain/order.ts';
import { toPaymentMessage } from '../src/messages/payment-message.ts';
import { announced, CALL, type Platform, type Server, startPlatform } from './payment-platform.ts';

let platform: Platform;
let impatient: Server;
beforeAll(async () => {
  platform = await startPlatform();
  impatient = await platform.startImpatientServer();
});
afterAll(() => platform?.stop());
/** Lets answers of authorization go. */
let open = () => {};
afterEach(() => {
  platform.authorization.failItems();
  open();
});

const callAs = async (caller: Platform['customer']) => ({
  ...CALL,
  accessToken: await platform.tokenOf(caller),
});
const get = async (paymentId: string) =>
  (await platform.client.getPayment({ paymentId }, await callAs(platform.customer))).payment;

/** The payment is final, decided once, and published once. */
async function expectCompletedOnce(id: string) {
  const payment = await get(id);
  expect(payment).toMatchObject({ state: PaymentState.COMPLETED, version: 2n });
  expect(await platform.authorization.approvals(id)).toBe(1);
  const { fromAccount = '', toAccount = '', amountMinor = 0n } = payment ?? {};
  const moved = await platform.authorization.movedIn(fromAccount, toAccount);
  expect(moved.map(({ postedMinor }) => postedMinor)).toEqual([-amountMinor, amountMinor]);
  const types = (await announced(platform.db, id)).map(({ destination, type }) => `${destination} ${type}`);
  expect(types).toEqual([
    'payment-events payment.initiated',
    'payment-events payment.completed',
    'payment-notifications payment.completed',
  ]);
}

describe('authorization that does not respond in time', () => {
  it('leaves the payment INITIATED, visible to its sender; recovery completes it, and the key then returns the outcome', async () => {
    const { customer, otherCustomer, authorization, recover } = platform;
    const { client } = impatient;
    const request = await platform.newRequest();
    open = authorization.holdAnswers();
    const { payment, replayed } = await client.createPayment(request, await callAs(customer));
    const id = payment?.id ?? '';
    expect(payment).toMatchObject({ state: PaymentState.INITIATED, decision: undefined });
    expect(replayed).toBe(false);
    expect(await get(id)).toMatchObject({ state: PaymentState.INITIATED });
    const stranger = client.getPayment({ paymentId: id }, await callAs(otherCustomer));
    await expect(stranger).rejects.toMatchObject({ reason: 'PAYMENT_NOT_FOUND' });
    const meanwhile = client.createPayment(request, await callAs(customer));
    await expect(meanwhile).rejects.toMatchObject({ reason: 'IDEMPOTENCY_IN_PROGRESS' });

    open();
    await recover(2_000);
    await expectCompletedOnce(id);
    const again = await client.createPayment(request, await callAs(customer));
    expect(again).toMatchObject({ replayed: true, payment: { id, state: PaymentState.COMPLETED } });
  });

  it('and responds to the request late, while recovery retries, still makes one outcome', async () => {
    const { flow, startServer, customer } = platform;
    const second = await startServer();
    const request = await platform.newRequest();
    const acceptance = await flow.accept({
      operation: 'CreatePayment',
      order: toPaymentOrder({ ...request, captureMode: 'AUTOMATIC', captureBy: 'PAYER' }),
      origin: { caller: customer, requestId: request.requestId, traceparent: '' },
      deadline: new Date(Date.now() + CALL.deadlineMs),
      isRetry: false,
    });
    if (!('payment' in acceptance)) throw new Error('The request was seen before.');
    const { payment } = acceptance;
    const soon = new Date(Date.now() + CALL.deadlineMs);
    const outcomes = await Promise.all([
      flow.resolve(payment, soon),
      second.flow.resolve(payment, soon),
      second.recover(2_000),
      flow.resolve(payment, soon),
    ]);
    const [first, ...others] = outcomes
      .filter((outcome) => typeof outcome === 'object')
      .map(toPaymentMessage);
    for (const other of others) expect(other).toEqual(first);
    await expectCompletedOnce(payment.id);
  });
});

describe('a crash', () => {
  it('after the payment was accepted: it is authorized and settled', async () => {
    const { flow, recover } = await platform.startServer({ recoverAfterMs: 60_000 });
    const id = await acceptOnly(flow);
    expect(await get(id)).toMatchObject({ state: PaymentState.INITIATED });
    await recover(0);
    expect(await get(id), 'too early: its own request may still be at it').toMatchObject({
      state: PaymentState.INITIATED,
    });
    await recover(120_000);
    await expectCompletedOnce(id);
  });

  it('after authorization decided: the same decision is fetched again', async () => {
    const { recover, authorization, db } = platform;
    const id = await acceptOnly();
    open = authorization.holdAnswers();
    const claimedAt = Date.now() + 2_000;
    await impatient.recover(2_000);
    expect(await authorization.approvals(id)).toBe(1);
    expect(await get(id)).toMatchObject({ state: PaymentState.INITIATED });
    const waiting = db.selectFrom('payments').select('next_attempt_at').where('id', '=', id);
    const { next_attempt_at } = await waiting.executeTakeFirstOrThrow();
    expect(next_attempt_at.getTime(), 'it backs off').toBeGreaterThan(claimedAt);
    open();
    await recover(20_000);
    await expectCompletedOnce(id);
    const row = await db
      .selectFrom('payments')
      .select('attempts')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(row.attempts).toBe(2);
  });

  it('after it was settled: there is nothing left to do', async () => {
    const { client, customer, recover, authorization } = platform;
    const { payment } = await client.createPayment(await platform.newRequest(), await callAs(customer));
    const asked = authorization.asked.length;
    await recover(3_600_000);
    expect(authorization.asked).toHaveLength(asked);
    await expectCompletedOnce(payment?.id ?? '');
  });

  it('of many is recovered by two instances side by side, each payment once', async () => {
    const { startServer, recover } = platform;
    const second = await startServer();
    const ids = await Promise.all(Array.from({ length: 40 }, () => acceptOnly()));
    await Promise.all([recover(2_000), second.recover(2_000)]);
    for (const id of ids) await expectCompletedOnce(id);
  });
});

it('an item that authorization cannot decide stays INITIATED, and the other items are decided', async () => {
  const { client, customer, authorization, recover } = platform;
  const stuck = await platform.newRequest();
  authorization.failItems(({ fromAccount }) => fromAccount === stuck.fromAccount);
  const [one, two] = await Promise.all([
    client.createPayment(stuck, await callAs(customer)),
    client.createPayment(await platform.newRequest(), await callAs(customer)),
  ]);
  expect(one.payment?.state).toBe(PaymentState.INITIATED);
  expect(two.payment?.state).toBe(PaymentState.COMPLETED);
  authorization.failItems();
  await recover(20_000);
  await expectCompletedOnce(one.payment?.id ?? '');
});

it('a locked table of keys fails the call as in progress; its key returns the outcome afterwards, paid once', async () => {
  const { client, customer, db, authorization } = platform;
  const request = await platform.newRequest();
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const { promise: locked, resolve: haveLocked } = Promise.withResolvers<void>();
  const hanging = db.transaction().execute(async (trx) => {
    await sql`lock table idempotency_keys in access exclusive mode`.execute(trx);
    haveLocked();
    await gate;
  });
  await locked;
  const call = await callAs(customer);
  const late = client.createPayment(request, call);
  await expect(late).rejects.toMatchObject({ code: 10, reason: 'IDEMPOTENCY_IN_PROGRESS' });
  open();
  await hanging;

  const again = () => client.createPayment(request, call).catch(() => undefined);
  await expect.poll(async () => (await again())?.payment?.state).toBe(PaymentState.COMPLETED);
  const { payment } = await client.createPayment(request, call);
  expect(await authorization.approvals(payment?.id ?? '')).toBe(1);
  expect(await authorization.movedIn(request.toAccount)).toMatchObject([
    { postedMinor: request.amountMinor },
  ]);
});

/** Leaves an accepted payment without a decision, like a process that dies right after step (a). */
async function acceptOnly({ accept }: Pick<Server['flow'], 'accept'> = platform.flow): Promise<string> {
  const request = await platform.newRequest();
  const acceptance = await accept({
    operation: 'CreatePayment',
    order: toPaymentOrder({ ...request, captureMode: 'AUTOMATIC', captureBy: 'PAYER' }),
    origin: { caller: platform.customer, requestId: request.requestId, traceparent: '' },
    deadline: new Date(Date.now() + CALL.deadlineMs),
    isRetry: false,
  });
  if (!('payment' in acceptance)) throw new Error('The request was seen before.');
  return acceptance.payment.id;
}
