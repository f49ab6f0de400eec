/** Magic references and the test clock, with the real authorization. */
import { status } from '@grpc/grpc-js';
import { newId } from '@payflowx/chassis';
import { CaptureMode } from '@payflowx/proto/authorization';
import { type CreatePaymentRequest, PaymentState } from '@payflowx/proto/payment';
import { PLAYED_DECLINES } from '@payflowx/proto/sandbox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { announced, CALL, FUNDS, type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let plain: Platform;
beforeAll(async () => {
  [platform, plain] = await Promise.all([startPlatform({ sandbox: true }), startPlatform()]);
});
afterAll(() => Promise.all([platform?.stop(), plain?.stop()]));

const as = async (caller: Platform['customer'], on = platform) => ({
  ...CALL,
  accessToken: await on.tokenOf(caller),
});
const create = async (given: Partial<CreatePaymentRequest>, on = platform) => {
  const request = await on.newRequest(given);
  const { payment } = await on.client.createPayment(request, await as(on.customer, on));
  if (!payment) throw new Error('There is no payment.');
  return { payment, request };
};
const get = async (paymentId: string) =>
  (await platform.client.getPayment({ paymentId }, await as(platform.customer))).payment;

describe('sandbox:decline', () => {
  /** These have responses without a payment. */
  const refused = ['FROM_ACCOUNT_NOT_FOUND', 'MANDATE_NOT_FOUND', 'OWN_ACCOUNT'];

  it.each(PLAYED_DECLINES.filter((code) => !refused.includes(code)))(
    '%s makes a payment FAILED, stored and announced as a real one',
    async (code) => {
      const { payment } = await create({ reference: `sandbox:decline:${code}` });
      expect(payment).toMatchObject({ state: PaymentState.FAILED, failure: { code } });
      expect(await get(payment.id)).toMatchObject({ state: PaymentState.FAILED, failure: { code } });
      const types = (await announced(platform.db, payment.id)).map(({ type }) => type);
      expect(types).toEqual(['payment.initiated', 'payment.failed', 'payment.failed']);
      const [payer] = await platform.authorization.movedIn(payment.fromAccount);
      expect(payer).toEqual({ postedMinor: 0n, heldMinor: 0n });
    },
  );

  it.each(refused)('%s is the error of the real one', async (code) => {
    await expect(create({ reference: `sandbox:decline:${code}` })).rejects.toMatchObject({ reason: code });
  });

  it('is final for its key', async () => {
    const { payment, request } = await create({ reference: 'sandbox:decline:RULE_DECLINED' });
    const again = await platform.client.createPayment(request, await as(platform.customer));
    expect(again).toMatchObject({ replayed: true, payment: { id: payment.id, failure: payment.failure } });
  });

  it('is what a simulation says', async () => {
    const request = await platform.newRequest({ reference: 'sandbox:decline:RULE_DECLINED' });
    const simulated = await platform.client.simulatePayment(
      { payment: request },
      await as(platform.customer),
    );
    expect(simulated.decision).toMatchObject({ code: 'RULE_DECLINED' });
  });
});

describe('sandbox:unknown', () => {
  it('leaves the payment to recovery, which completes it after that time and not before', async () => {
    const { payment, request } = await create({ reference: 'sandbox:unknown:20' });
    expect(payment.state).toBe(PaymentState.INITIATED);
    expect(await platform.authorization.approvals(payment.id)).toBe(0);

    const retry = platform.client.createPayment(request, await as(platform.customer));
    await expect(retry).rejects.toMatchObject({ reason: 'IDEMPOTENCY_IN_PROGRESS' });
    const token = await platform.tokenOf(platform.customer);
    const byGrpc = await platform.callAsRetry('createPayment', request, token);
    expect(byGrpc).toMatchObject({ payment: { id: payment.id, state: PaymentState.INITIATED } });

    await platform.recover(10_000);
    expect(await get(payment.id)).toMatchObject({ state: PaymentState.INITIATED });
    await platform.recover(20_000);
    expect(await get(payment.id)).toMatchObject({ state: PaymentState.COMPLETED });
    expect(await platform.authorization.approvals(payment.id)).toBe(1);
    const again = await platform.client.createPayment(request, await as(platform.customer));
    expect(again).toMatchObject({ replayed: true, payment: { state: PaymentState.COMPLETED } });
  });
});

it('without the sandbox, magic references are ordinary texts', async () => {
  for (const reference of ['sandbox:decline:RULE_DECLINED', 'sandbox:unknown:20']) {
    const { payment } = await create({ reference }, plain);
    expect(payment).toMatchObject({ state: PaymentState.COMPLETED, reference });
  }
  const request = { accountId: newId('acct'), requestId: 'r', seconds: 1 };
  const advance = plain.sandbox.advanceTestClock(request, await as(plain.customer, plain));
  // Authorization has no test clock.
  await expect(advance).rejects.toMatchObject({ code: status.INTERNAL });
});

describe('the test clock', () => {
  const HOLD_S = 3_600;
  const hold = async (given: Partial<CreatePaymentRequest> = {}) =>
    create({ captureMode: CaptureMode.MANUAL, holdSeconds: HOLD_S, ...given });
  const advance = async (
    accountId: string,
    seconds: number,
    { requestId = newId('req'), by = platform.customer } = {},
  ) => platform.sandbox.advanceTestClock({ accountId, requestId, seconds }, await as(by));

  it('moves the end that readers see, and the expiry worker ends the hold as any other', async () => {
    const { payment } = await hold();
    const { fromAccount, expiresAt } = payment;
    expect(await advance(fromAccount, 600)).toEqual({
      movedHolds: 1,
      advancedSeconds: 600n,
      replayed: false,
    });
    const end = new Date((expiresAt?.getTime() ?? 0) - 600_000);
    expect(await get(payment.id)).toMatchObject({ expiresAt: end, version: payment.version });
    expect(await platform.authorization.holdOf(payment.id)).toMatchObject({ expiresAt: end });

    await platform.expire();
    expect(await get(payment.id)).toMatchObject({ state: PaymentState.AUTHORIZED });
    await advance(fromAccount, HOLD_S - 600);
    await platform.expire();
    expect(await get(payment.id)).toMatchObject({ state: PaymentState.EXPIRED });
    const types = (await announced(platform.db, payment.id)).map(({ type }) => type);
    expect(types.at(-1)).toBe('payment.expired');
    const [payer] = await platform.authorization.movedIn(fromAccount);
    expect(payer).toEqual({ postedMinor: 0n, heldMinor: 0n });
  });

  it('completes what a request left unfinished when it is repeated, and moves nothing twice', async () => {
    const { payment } = await hold();
    const requestId = newId('req');
    await advance(payment.fromAccount, 600, { requestId });
    // As after a crash between authorization's transaction and this service's.
    const moved = (await get(payment.id))?.expiresAt;
    await platform.db
      .updateTable('payments')
      .set({ hold_expires_at: payment.expiresAt as Date })
      .where('id', '=', payment.id)
      .execute();
    expect(await advance(payment.fromAccount, 600, { requestId })).toMatchObject({
      movedHolds: 1,
      replayed: true,
    });
    expect((await get(payment.id))?.expiresAt).toEqual(moved);
  });

  it('asks for a retry while a payment of the account has a hold and no stored outcome', async () => {
    const impatient = await platform.startImpatientServer();
    const open = platform.authorization.holdAnswers();
    const request = await platform.newRequest({ captureMode: CaptureMode.MANUAL, holdSeconds: HOLD_S });
    const { payment } = await impatient.client.createPayment(request, await as(platform.customer));
    expect(payment?.state).toBe(PaymentState.INITIATED);
    open();
    const requestId = newId('req');
    const first = advance(request.fromAccount, HOLD_S, { requestId });
    await expect(first).rejects.toMatchObject({ reason: 'IDEMPOTENCY_IN_PROGRESS' });
    await platform.recover(60_000);
    expect(await advance(request.fromAccount, HOLD_S, { requestId })).toMatchObject({ movedHolds: 1 });
    await platform.expire();
    expect(await get(payment?.id ?? '')).toMatchObject({ state: PaymentState.EXPIRED });
  });

  it('is for the owner and for operators', async () => {
    const { payment } = await hold();
    const { fromAccount, toAccount } = payment;
    const missing = { code: status.NOT_FOUND, reason: 'ACCOUNT_NOT_FOUND' };
    await expect(advance(toAccount, HOLD_S)).rejects.toMatchObject(missing);
    await expect(advance(fromAccount, HOLD_S, { by: platform.otherCustomer })).rejects.toMatchObject(missing);
    await expect(advance(newId('acct'), HOLD_S)).rejects.toMatchObject(missing);
    const auditor = advance(fromAccount, HOLD_S, { by: platform.auditor });
    await expect(auditor).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    expect(await get(payment.id)).toMatchObject({ expiresAt: payment.expiresAt });
    expect(await advance(fromAccount, 1, { by: platform.operator })).toMatchObject({ movedHolds: 1 });
  });

  it('refuses a request without a key, with another use of its key, and with a wrong number', async () => {
    const account = await platform.accountOf(platform.customer, { funds: FUNDS });
    const required = { reason: 'IDEMPOTENCY_KEY_REQUIRED' };
    await expect(advance(account, 1, { requestId: '' })).rejects.toMatchObject(required);
    const requestId = newId('req');
    await advance(account, 1, { requestId });
    const reused = { reason: 'IDEMPOTENCY_KEY_REUSED' };
    await expect(advance(account, 2, { requestId })).rejects.toMatchObject(reused);
    for (const seconds of [0, 31_536_001]) {
      await expect(advance(account, seconds)).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    }
  });
});
