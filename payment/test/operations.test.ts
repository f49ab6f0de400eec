import { newId } from '@payflowx/chassis';
import { AccountState, CaptureMode } from '@payflowx/proto/authorization';
import { CaptureBy, PaymentState, RefundState } from '@payflowx/proto/payment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageFor } from '../src/rpc/visible-decision.ts';
import type { AskedStep } from './authorization-faults.ts';
import { lifecycleOf } from './lifecycle.ts';
import { announced, type Platform, paymentRequest, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());

const typesOf = async (id: string) => (await life.events(id)).map(({ type }) => type);
const stepsOf = (paymentId: string): AskedStep[] =>
  platform.authorization.steps.filter(({ request }) => request.paymentId === paymentId);

describe('a capture', () => {
  it('of everything completes the payment, and notifies both sides', async () => {
    const { id } = await life.hold();
    const answer = await life.capture(id);
    expect(answer).toMatchObject({ replayed: false, pending: false });
    expect(answer.payment).toMatchObject({
      state: PaymentState.COMPLETED,
      capturedMinor: 1_000n,
      expiresAt: undefined,
      version: 3n,
    });
    const payment = await life.get(id);
    expect(messageFor(platform.customer, payment)).toEqual(answer.payment);
    const messages = (await announced(platform.db, id)).slice(-2);
    expect(messages.map(({ destination, type }) => `${destination} ${type}`)).toEqual([
      'payment-events payment.completed',
      'payment-notifications payment.completed',
    ]);
    expect(messages[0]?.event).toMatchObject({
      fromOwnerId: platform.customer.id,
      toOwnerId: platform.otherCustomer.id,
      refundId: '',
      payment: { ...payment, decision: undefined },
    });
    await life.expectAmountsToAgree(id);
  });

  it('in parts moves each part once, and the final one releases the rest', async () => {
    const { id } = await life.hold();
    const first = await life.capture(id, { amountMinor: 300n });
    expect(first.payment).toMatchObject({ state: PaymentState.PARTIALLY_CAPTURED, capturedMinor: 300n });
    expect(first.payment?.expiresAt).toBeDefined();
    await life.capture(id, { amountMinor: 200n });
    const last = await life.capture(id, { amountMinor: 100n, final: true });
    expect(last.payment).toMatchObject({ state: PaymentState.COMPLETED, capturedMinor: 600n });
    expect(await typesOf(id)).toEqual([
      'payment.initiated',
      'payment.authorized',
      'payment.captured',
      'payment.captured',
      'payment.completed',
    ]);
    await life.expectAmountsToAgree(id);
  });

  it('is requested from authorization under its own id', async () => {
    const { id } = await life.hold();
    await life.capture(id, { amountMinor: 300n });
    await life.capture(id);
    const [part, rest] = stepsOf(id).map(({ request }) => request);
    expect(part).toMatchObject({ amountMinor: 300n, final: false });
    expect(rest).toMatchObject({ amountMinor: 0n, final: true });
    expect(part?.operationId).toMatch(/^cap_/);
    expect(part?.operationId).not.toBe(rest?.operationId);
  });

  it('beyond the hold is refused without a call to authorization', async () => {
    const { id } = await life.hold();
    const refused = life.capture(id, { amountMinor: 1_001n });
    await expect(refused).rejects.toMatchObject({
      code: 9,
      reason: 'CAPTURE_EXCEEDS_AUTHORIZED',
      metadata: { available_minor: '1000' },
    });
    expect(stepsOf(id)).toEqual([]);
  });

  it('for a receiver who may not receive is declined, and can be retried later', async () => {
    const { id, toAccount } = await life.hold();
    await platform.authorization.changeState(toAccount, AccountState.FROZEN);
    const requestId = newId('req');
    const declined = { code: 9, reason: 'TO_ACCOUNT_NOT_ACTIVE' };
    await expect(life.capture(id, { requestId })).rejects.toMatchObject(declined);
    await platform.authorization.changeState(toAccount, AccountState.ACTIVE);
    await expect(life.capture(id, { requestId })).rejects.toMatchObject({
      ...declined,
      metadata: { replayed: 'true' },
    });
    expect((await life.capture(id)).payment?.state).toBe(PaymentState.COMPLETED);
  });

  it.each([
    ['the amount 0', { amountMinor: 0n }, ['amount_minor']],
    ['a negative amount', { amountMinor: -1n }, ['amount_minor']],
    ['a bad key', { requestId: 'a key' }, ['request_id']],
  ])('with %s is no capture', async (_, given, fields) => {
    const refused = life.capture(newId('pay'), given).catch((error) => error);
    expect(await refused).toMatchObject({
      code: 3,
      violations: fields.map((field) => ({ field })),
    });
  });
});

describe('a cancel', () => {
  it('releases the money, and notifies both sides', async () => {
    const { id } = await life.hold();
    const { payment } = await life.cancel(id);
    expect(payment).toMatchObject({ state: PaymentState.CANCELLED, capturedMinor: 0n });
    expect((await announced(platform.db, id)).at(-1)).toMatchObject({
      destination: 'payment-notifications',
      type: 'payment.cancelled',
    });
    await life.expectAmountsToAgree(id);
  });

  it('after a capture releases the rest and completes the payment', async () => {
    const { id } = await life.hold();
    await life.capture(id, { amountMinor: 300n });
    const { payment } = await life.cancel(id);
    expect(payment).toMatchObject({ state: PaymentState.COMPLETED, capturedMinor: 300n });
    expect((await announced(platform.db, id)).at(-1)).toMatchObject({ type: 'payment.completed' });
    await expect(life.cancel(id)).rejects.toMatchObject({
      code: 9,
      reason: 'INVALID_STATE',
      metadata: { state: 'COMPLETED', allowed_actions: 'refund' },
    });
    await life.expectAmountsToAgree(id);
  });
});

describe('a refund', () => {
  it('in parts adds up to the captured amount, each part with its own id and event', async () => {
    const { id } = await life.pay();
    const first = await life.refund(id, { amountMinor: 400n, reason: 'Too salty' });
    expect(first.refund).toMatchObject({
      paymentId: id,
      state: RefundState.COMPLETED,
      amountMinor: 400n,
      currency: 'EUR',
      reason: 'Too salty',
    });
    expect((await life.get(id)).state).toBe(PaymentState.PARTIALLY_REFUNDED);
    const tooMuch = life.refund(id, { amountMinor: 601n });
    await expect(tooMuch).rejects.toMatchObject({ code: 9, reason: 'REFUND_EXCEEDS_CAPTURED' });
    const second = await life.refund(id);
    expect(second.refund?.amountMinor).toBe(600n);
    expect(await life.get(id)).toMatchObject({ state: PaymentState.REFUNDED, refundedMinor: 1_000n });
    await expect(life.refund(id)).rejects.toMatchObject({
      reason: 'INVALID_STATE',
      metadata: { state: 'REFUNDED', allowed_actions: '' },
    });
    const refunded = (await life.events(id)).filter(({ type }) => type === 'payment.refunded');
    expect(refunded.map(({ event }) => event.refundId)).toEqual([first.refund?.id, second.refund?.id]);
    await life.expectAmountsToAgree(id);
  });

  it('of a partly captured payment returns no more than the captured amount', async () => {
    const { id } = await life.hold();
    await life.capture(id, { amountMinor: 250n, final: true });
    expect((await life.refund(id)).refund?.amountMinor).toBe(250n);
    expect((await life.get(id)).state).toBe(PaymentState.REFUNDED);
    await life.expectAmountsToAgree(id);
  });

  it('that its receiver cannot pay is FAILED with the reason; the payment does not change', async () => {
    const { client, customer, otherCustomer, operator, accountOf } = platform;
    const { id, version, toAccount } = await life.pay();
    const spent = paymentRequest({
      fromAccount: toAccount,
      toAccount: await accountOf(customer),
      amountMinor: 1n,
    });
    await client.createPayment(spent, await life.callAs(otherCustomer));
    const { refund } = await life.refund(id);
    expect(refund).toMatchObject({
      state: RefundState.FAILED,
      failure: {
        code: 'INSUFFICIENT_BALANCE',
        message: 'The paying account does not have enough money available.',
      },
    });
    expect(await life.get(id)).toMatchObject({ state: PaymentState.COMPLETED, version });
    const earned = {
      requestId: newId('req'),
      accountId: toAccount,
      amountMinor: 1n,
      currency: 'EUR',
      reference: '',
    };
    await client.createDeposit(earned, await life.callAs(operator));
    expect((await life.refund(id)).refund?.state).toBe(RefundState.COMPLETED);
  });

  it('of money that is still held is refused', async () => {
    const { id } = await life.hold();
    const early = life.refund(id);
    await expect(early).rejects.toMatchObject({ metadata: { allowed_actions: 'capture,cancel' } });
    await life.capture(id, { amountMinor: 400n });
    const tooMuch = life.refund(id, { amountMinor: 401n });
    await expect(tooMuch).rejects.toMatchObject({ metadata: { available_minor: '400' } });
  });

  it('while the rest is still held leaves the hold open; its end then shows the refund', async () => {
    const { id } = await life.hold();
    await life.capture(id, { amountMinor: 400n });
    await life.refund(id, { amountMinor: 150n });
    const open = { state: PaymentState.PARTIALLY_CAPTURED, capturedMinor: 400n, refundedMinor: 150n };
    expect(await life.get(id)).toMatchObject(open);
    expect((await life.capture(id, { amountMinor: 100n })).payment).toMatchObject({
      ...open,
      capturedMinor: 500n,
    });
    expect((await life.cancel(id)).payment?.state).toBe(PaymentState.PARTIALLY_REFUNDED);
    expect((await life.refund(id)).refund?.amountMinor).toBe(350n);
    expect((await life.get(id)).state).toBe(PaymentState.REFUNDED);
    await life.expectAmountsToAgree(id);
  });
});

describe('access to a step', () => {
  const stranger = { id: newId('usr'), roles: ['customer'] as const };
  const NOT_FOUND = { code: 5, reason: 'PAYMENT_NOT_FOUND' };
  const NOT_ALLOWED = { code: 7, reason: 'ACTION_NOT_ALLOWED' };
  const NO_ROLE = { code: 7, reason: 'ROLE_NOT_ALLOWED' };

  it('allows captures and cancels to the payer, refunds to the receiver, and all to an operator; strangers see nothing', async () => {
    const { customer, otherCustomer, operator, auditor } = platform;
    const held = await life.hold();
    const paid = await life.pay();
    for (const [by, payerStep, receiverStep] of [
      [stranger, NOT_FOUND, NOT_FOUND],
      [otherCustomer, NOT_ALLOWED, undefined],
      [customer, undefined, NOT_ALLOWED],
      [auditor, NO_ROLE, NO_ROLE],
      [operator, undefined, undefined],
    ] as const) {
      const amountMinor = 1n;
      const steps = [
        [() => life.capture(held.id, { amountMinor }, { by }), payerStep],
        [() => life.refund(paid.id, { amountMinor }, { by }), receiverStep],
      ] as const;
      for (const [step, refusal] of steps) {
        if (refusal) await expect(step()).rejects.toMatchObject(refusal);
        else expect(await step()).toMatchObject({ replayed: false });
      }
      if (payerStep) await expect(life.cancel(held.id, { by })).rejects.toMatchObject(payerStep);
    }
    for (const id of ['pay_1', '', newId('pay')]) {
      await expect(life.capture(id, {}, { by: operator })).rejects.toMatchObject(NOT_FOUND);
    }
  });

  it('allows captures and cancels to the payee alone, if the payment says so, and shows it only its own side', async () => {
    const by = platform.otherCustomer;
    const toPayee = { captureBy: CaptureBy.PAYEE };
    const { id } = await life.hold(toPayee);
    const payer = life.capture(id, { amountMinor: 1n });
    await expect(payer).rejects.toMatchObject({ ...NOT_ALLOWED, metadata: { allowed: 'payee' } });
    await expect(life.cancel(id)).rejects.toMatchObject(NOT_ALLOWED);

    const requestId = newId('req');
    const first = await life.capture(id, { amountMinor: 300n, requestId }, { by });
    expect(first.payment).toMatchObject({ ...toPayee, reference: '', metadata: {}, decision: undefined });
    const again = await life.capture(id, { amountMinor: 300n, requestId }, { by });
    expect(again).toEqual({ ...first, replayed: true });
    expect((await life.cancel(id, { by })).payment?.state).toBe(PaymentState.COMPLETED);
    const { payment } = await life.cancel((await life.hold(toPayee)).id, { by });
    expect(payment).toMatchObject({ state: PaymentState.CANCELLED, reference: '' });
    expect(await life.get(id)).toMatchObject({ ...toPayee, reference: 'order-7' });
  });

  it('gives an operator who owns an account only the rights of its owner', async () => {
    const operator: typeof platform.operator = { id: newId('usr'), roles: ['customer', 'operator'] };
    const OWN_ACCOUNT = { code: 7, reason: 'OWN_ACCOUNT' };
    const parties = { toAccount: await platform.accountOf(operator) };
    const [held, paid] = [await life.hold(parties), await life.pay(parties)];
    const requestId = newId('req');
    await expect(life.capture(held.id, {}, { by: operator })).rejects.toMatchObject(OWN_ACCOUNT);
    await expect(life.cancel(held.id, { by: operator, requestId })).rejects.toMatchObject(OWN_ACCOUNT);
    const { refund } = await life.refund(paid.id, { amountMinor: 1n }, { by: operator });
    expect(refund?.state).toBe(RefundState.COMPLETED);
    // The refused key is free, and another operator may do it.
    await life.cancel(held.id, { by: platform.operator });
    const other = await life.hold();
    await life.cancel(other.id, { by: operator, requestId });

    const outgoing = await platform.client.createPayment(
      paymentRequest({
        fromAccount: await platform.accountOf(operator),
        toAccount: await platform.accountOf(platform.customer),
      }),
      await life.callAs(operator),
    );
    const back = life.refund(outgoing.payment?.id ?? '', {}, { by: operator });
    await expect(back).rejects.toMatchObject(OWN_ACCOUNT);
  });

  it('allows refunds of a deposit to operators only, because the money leaves the platform', async () => {
    const { client, customer, operator, accountOf } = platform;
    const accountId = await accountOf(customer);
    const deposit = { requestId: newId('req'), accountId, amountMinor: 9n, currency: 'EUR', reference: '' };
    const { payment } = await client.createDeposit(deposit, await life.callAs(operator));
    const id = payment?.id ?? '';
    await expect(life.refund(id, {}, { by: customer })).rejects.toMatchObject(NOT_ALLOWED);
    const { refund } = await life.refund(id, {}, { by: operator });
    expect(refund?.state).toBe(RefundState.COMPLETED);
  });

  it('leaves the key free if it is refused', async () => {
    const { client, customer, otherCustomer: by, accountOf } = platform;
    const { id } = await life.hold();
    const requestId = newId('req');
    await expect(life.cancel(id, { by, requestId })).rejects.toMatchObject(NOT_ALLOWED);
    const ownRequest = paymentRequest({
      fromAccount: await accountOf(by),
      toAccount: await accountOf(customer),
      captureMode: CaptureMode.MANUAL,
    });
    const { payment: own } = await client.createPayment(ownRequest, await life.callAs(by));
    const { payment } = await life.cancel(own?.id ?? '', { by, requestId });
    expect(payment?.state).toBe(PaymentState.CANCELLED);
  });
});

describe('a repeated key', () => {
  it('gets the first response of each step, whatever happened since', async () => {
    const held = await life.hold();
    const paid = await life.pay();
    const [one, two, three] = [newId('req'), newId('req'), newId('req')];
    const capture = () => life.capture(held.id, { requestId: one, amountMinor: 1n });
    const refund = () => life.refund(paid.id, { requestId: two, amountMinor: 1n });
    const cancelled = await life.hold();
    const cancel = () => life.cancel(cancelled.id, { requestId: three });
    const first = [await capture(), await refund(), await cancel()] as const;
    await life.capture(held.id);
    await life.refund(paid.id);
    expect([await capture(), await refund(), await cancel()]).toEqual(
      first.map((answer) => ({ ...answer, replayed: true })),
    );
    expect((await life.get(held.id)).capturedMinor).toBe(1_000n);
    await life.expectAmountsToAgree(held.id);
    await life.expectAmountsToAgree(paid.id);
  });

  it('gets the first refusal, although the step would be possible by now', async () => {
    const { id } = await life.hold();
    const requestId = newId('req');
    const early = () => life.refund(id, { requestId }).catch((error) => error);
    const first = await early();
    expect(first).toMatchObject({
      code: 9,
      reason: 'INVALID_STATE',
      metadata: { state: 'AUTHORIZED', allowed_actions: 'capture,cancel' },
    });
    await life.capture(id);
    const again = await early();
    expect(again).toMatchObject({
      code: 9,
      reason: 'INVALID_STATE',
      message: first.message,
      metadata: { ...first.metadata, replayed: 'true' },
    });
  });

  it.each([
    ['another amount', (id: string, requestId: string) => life.capture(id, { requestId, amountMinor: 2n })],
    [
      'finality',
      (id: string, requestId: string) => life.capture(id, { requestId, amountMinor: 1n, final: true }),
    ],
    ['another step', (id: string, requestId: string) => life.cancel(id, { requestId })],
    [
      'another payment',
      async (_: string, requestId: string) =>
        life.capture((await life.hold()).id, { requestId, amountMinor: 1n }),
    ],
  ])('with %s is refused', async (_, other) => {
    const { id } = await life.hold();
    const requestId = newId('req');
    await life.capture(id, { requestId, amountMinor: 1n });
    await expect(other(id, requestId)).rejects.toMatchObject({ reason: 'IDEMPOTENCY_KEY_REUSED' });
  });

  it('many times at once, through two instances, is one capture', async () => {
    const second = await platform.startServer();
    const { id } = await life.hold();
    const requestId = newId('req');
    const answers = await Promise.allSettled(
      Array.from({ length: 30 }, (_, index) =>
        life.capture(id, { requestId, amountMinor: 10n }, { via: index % 2 ? platform : second }),
      ),
    );
    const reasons = answers.flatMap((answer) => (answer.status === 'rejected' ? answer.reason.reason : []));
    expect(new Set(reasons)).toEqual(new Set(reasons.length > 0 ? ['IDEMPOTENCY_IN_PROGRESS'] : []));
    expect((await life.get(id)).capturedMinor).toBe(10n);
    expect(stepsOf(id)).toHaveLength(1);
  });
});
