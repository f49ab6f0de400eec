import { newId } from '@payflowx/chassis';
import { CaptureMode } from '@payflowx/proto/authorization';
import { PaymentState, RefundState } from '@payflowx/proto/payment';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RequestedKind } from '../src/domain/operation.ts';
import { ALL, acceptStep, lifecycleOf } from './lifecycle.ts';
import { announced, CALL, type Platform, type Server, startPlatform } from './payment-platform.ts';

let platform: Platform;
let impatient: Server;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  impatient = await platform.startImpatientServer();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());
/** Lets answers of authorization go. */
let open = () => {};
afterEach(() => {
  open();
  platform.authorization.setClockAhead(0);
});

it('a step that gRPC retries continues the first attempt, in any instance', async () => {
  const second = await platform.startServer();
  const { id: paymentId } = await life.hold();
  const { requestId } = await acceptStep(platform, paymentId);
  const given = { amountMinor: undefined, final: undefined, reference: '', metadata: {} };
  const request = { requestId, paymentId, ...given };
  const token = await platform.tokenOf(platform.customer);
  expect(await second.callAsRetry('capturePayment', request, token)).toMatchObject({
    replayed: false,
    pending: false,
    payment: { state: PaymentState.COMPLETED },
  });
});

it('a step passes its deadline on to authorization, which decides nothing after it', async () => {
  const { id } = await life.hold();
  const startedAt = Date.now();
  await life.capture(id, {}, { deadlineMs: 20_000 });
  const passedOn = platform.authorization.steps.at(-1)?.request.deadline?.getTime() ?? 0;
  // A busy machine may take seconds to send a call.
  expect(Math.abs(passedOn - startedAt - 20_000)).toBeLessThan(8_000);
});

describe('authorization that does not respond in time', () => {
  it('leaves a capture pending: 202, then the outcome under the same key', async () => {
    const { authorization, startServer } = platform;
    const via = await startServer({ authorizeDeadlineMs: 100, recoverAfterMs: 60_000 });
    const held = await life.hold();
    open = authorization.holdAnswers();
    const requestId = newId('req');
    const ask = () => life.capture(held.id, { requestId }, { via });
    const pending = await ask();
    expect(pending).toEqual({
      payment: held,
      replayed: false,
      pending: true,
      captureId: expect.stringMatching(/^cap_/),
    });
    await expect(ask()).rejects.toMatchObject({ code: 10, reason: 'IDEMPOTENCY_IN_PROGRESS' });

    open();
    await via.recoverOperations(0);
    await expect(ask(), 'too early: its own request may still be in progress').rejects.toMatchObject({
      code: 10,
    });
    await platform.recoverOperations(120_000);
    expect(await ask()).toMatchObject({
      replayed: true,
      pending: false,
      payment: { state: PaymentState.COMPLETED },
    });
    await life.expectAmountsToAgree(held.id);
  });

  it('leaves a refund PENDING, visible to its receiver, and to the payer only once it is completed', async () => {
    const { authorization, recoverOperations, client, customer, otherCustomer } = platform;
    const { id } = await life.pay();
    open = authorization.holdAnswers();
    const { refund } = await life.refund(id, {}, { via: impatient });
    expect(refund?.state).toBe(RefundState.PENDING);
    const states = async (by: Platform['customer']) => {
      const request = { ...ALL, paymentId: id };
      const { refunds } = await client.listRefunds(request, await life.callAs(by));
      return refunds.map(({ state }) => state);
    };
    expect(await states(otherCustomer)).toEqual([RefundState.PENDING]);
    expect(await states(customer)).toEqual([]);
    open();
    await recoverOperations(2_000);
    expect(await states(customer)).toEqual([RefundState.COMPLETED]);
    await life.expectAmountsToAgree(id);
  });
});

describe('a crash', () => {
  it.each<[RequestedKind, string]>([
    ['CAPTURE', 'payment.completed'],
    ['CANCEL', 'payment.cancelled'],
    ['REFUND', 'payment.refunded'],
  ])('after a %s was accepted: it is decided and settled, once', async (kind, type) => {
    const { id } = await life.pay(kind === 'REFUND' ? {} : { captureMode: CaptureMode.MANUAL });
    await acceptStep(platform, id, kind);
    await platform.recoverOperations(2_000);
    await platform.recoverOperations(3_600_000);
    const messages = await announced(platform.db, id);
    expect(messages.filter((message) => message.type === type).map(({ destination }) => destination)).toEqual(
      ['payment-events', 'payment-notifications'],
    );
    await life.expectAmountsToAgree(id);
  });

  it('after authorization decided: the same decision is fetched again', async () => {
    const { id } = await life.hold();
    const { begun, requestId } = await acceptStep(platform, id);
    open = platform.authorization.holdAnswers();
    await impatient.recoverOperations(2_000);
    const { remainingMinor } = await platform.authorization.holdOf(id);
    expect(remainingMinor, 'it was decided').toBe(0n);
    open();
    await platform.recoverOperations(2_000_000);
    const asked = platform.authorization.steps.filter(({ request }) => request.paymentId === id);
    expect(asked.map(({ request }) => request.operationId)).toEqual([begun.operation.id, begun.operation.id]);
    expect(await life.capture(id, { requestId })).toMatchObject({ replayed: true, pending: false });
    await life.expectAmountsToAgree(id);
  });

  it('is recovered by two instances and its own request at once, and is settled and published once', async () => {
    const second = await platform.startServer();
    const ids = await Promise.all(Array.from({ length: 30 }, async () => (await life.hold()).id));
    const accepted = await Promise.all(ids.map((id) => acceptStep(platform, id)));
    const later = new Date(Date.now() + CALL.deadlineMs);
    await Promise.all([
      platform.recoverOperations(2_000),
      second.recoverOperations(2_000),
      ...accepted.map(({ begun }) => platform.operations.resolve(begun, later)),
      ...accepted.map(({ begun }) => second.operations.resolve(begun, later)),
    ]);
    for (const id of ids) {
      expect(await life.get(id)).toMatchObject({ state: PaymentState.COMPLETED, version: 3n });
      await life.expectAmountsToAgree(id);
    }
  });
});

it('a capture that lost to a cancel waits until the cancel is stored, and then reports its state', async () => {
  const { id } = await life.hold();
  const { begun } = await acceptStep(platform, id, 'CANCEL');
  // Authorization has decided on the cancel, and its response was lost.
  const { operation } = begun;
  open = platform.authorization.holdAnswers();
  const deadline = new Date(Date.now() + CALL.deadlineMs);
  await impatient.operations.resolve(begun, deadline).catch(() => undefined);
  open();
  expect(operation.id).toMatch(/^can_/);
  const lost = await acceptStep(platform, id);
  const soon = new Date(Date.now() + 500);
  await expect(platform.operations.resolve(lost.begun, soon)).rejects.toThrow();
  expect((await life.get(id)).state).toBe(PaymentState.AUTHORIZED);
  await platform.recoverOperations(2_000);
  await platform.recoverOperations(60_000);
  const ask = life.capture(id, { requestId: lost.requestId });
  await expect(ask).rejects.toMatchObject({
    reason: 'INVALID_STATE',
    metadata: { state: 'CANCELLED', allowed_actions: '', replayed: 'true' },
  });
  await life.expectAmountsToAgree(id);
});

describe('the expiry worker', () => {
  const LATER_MS = 120_000;

  it('ends holds that are past their end, and no others', async () => {
    const short = await life.hold({ holdSeconds: 3_600 });
    const long = await life.hold({ holdSeconds: 10_800 });
    const later = 7_200_000;
    platform.authorization.setClockAhead(later);
    await platform.expire(0);
    expect((await life.get(short.id)).state, 'not yet').toBe(PaymentState.AUTHORIZED);
    await platform.expire(later);
    expect(await life.get(short.id)).toMatchObject({ state: PaymentState.EXPIRED, expiresAt: undefined });
    expect((await life.get(long.id)).state).toBe(PaymentState.AUTHORIZED);
    expect((await announced(platform.db, short.id)).at(-1)).toMatchObject({
      destination: 'payment-notifications',
      type: 'payment.expired',
    });
    await life.expectAmountsToAgree(short.id);
  });

  it('completes a partly captured payment with the captured amount', async () => {
    const { id } = await life.hold();
    await life.capture(id, { amountMinor: 300n });
    platform.authorization.setClockAhead(LATER_MS);
    await platform.expire(LATER_MS);
    expect(await life.get(id)).toMatchObject({ state: PaymentState.COMPLETED, capturedMinor: 300n });
    expect((await life.events(id)).at(-1)).toMatchObject({
      type: 'payment.completed',
      event: { movements: [{ amountMinor: 700n }] },
    });
    expect((await life.refund(id)).refund?.amountMinor).toBe(300n);
    await life.expectAmountsToAgree(id);
  });

  it('in several instances at once ends each hold once', async () => {
    const second = await platform.startServer();
    const ids = await Promise.all(Array.from({ length: 40 }, async () => (await life.hold()).id));
    platform.authorization.setClockAhead(LATER_MS);
    await Promise.all([platform, second, platform, second].map((server) => server.expire(LATER_MS)));
    while (await platform.expire(LATER_MS)) await second.expire(LATER_MS);
    for (const id of ids) {
      const asked = platform.authorization.steps.filter(({ request }) => request.paymentId === id);
      expect(new Set(asked.map(({ request }) => request.operationId)).size).toBe(1);
      expect(await life.get(id)).toMatchObject({ state: PaymentState.EXPIRED, version: 3n });
      await life.expectAmountsToAgree(id);
    }
  });

  it('leaves an expiry without a response to recovery', async () => {
    const { id } = await life.hold();
    platform.authorization.setClockAhead(LATER_MS);
    open = platform.authorization.holdAnswers();
    await impatient.expire(LATER_MS);
    open();
    expect((await life.get(id)).state).toBe(PaymentState.AUTHORIZED);
    await platform.expire(LATER_MS);
    await platform.recoverOperations(LATER_MS + 2_000);
    expect((await life.get(id)).state).toBe(PaymentState.EXPIRED);
    await life.expectAmountsToAgree(id);
  });
});
