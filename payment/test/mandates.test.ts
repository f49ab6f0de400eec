/** Payments that a payee collects by a mandate: who may make them, and what each side sees of them, approved or declined. */
import { type Caller, newId } from '@payflowx/chassis';
import { AccountState, CaptureMode, RuleAction } from '@payflowx/proto/authorization';
import { CaptureBy, type Payment, PaymentState } from '@payflowx/proto/payment';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openMandate } from './collections.ts';
import { ANY_PAYMENTS, announced, CALL, FUNDS, type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let payer: Caller;
let payee: Caller;
const stranger: Caller = { id: 'usr_stranger', roles: ['customer'] };
beforeAll(async () => {
  platform = await startPlatform();
  payer = platform.customer;
  payee = platform.otherCustomer;
});
/** Lets answers of authorization go. */
let open = () => {};
afterEach(() => open());
afterAll(() => platform?.stop());

const callAs = async (caller: Caller) => ({ ...CALL, accessToken: await platform.tokenOf(caller) });
const get = async (caller: Caller, paymentId: string) =>
  (await platform.client.getPayment({ paymentId }, await callAs(caller))).payment;
const listed = async (caller: Caller, given: Partial<typeof ANY_PAYMENTS> = {}) =>
  (await platform.client.listPayments({ ...ANY_PAYMENTS, ...given }, await callAs(caller))).payments;
const stepsFor = async (caller: Caller, paymentId: string) =>
  (await platform.client.listPaymentSteps({ paymentId }, await callAs(caller))).steps;

const idsOf = (payments: readonly Payment[]) => payments.map(({ id }) => id);
const NOT_FOUND = { reason: 'PAYMENT_NOT_FOUND' };
const checksOf = (payment: Payment | undefined) => payment?.decision?.checks.map(({ name }) => name);

function present(payment: Payment | undefined): Payment {
  if (!payment) throw new Error('There is no payment.');
  return payment;
}

describe('a collection', () => {
  it('moves the money, names its mandate, and is visible to both sides and to no other', async () => {
    const { mandateId, collect, usedToday } = await openMandate(platform);
    const { id } = present((await collect()).payment);
    for (const caller of [payer, payee, platform.operator, platform.auditor]) {
      expect(await get(caller, id)).toMatchObject({ id, mandateId, state: PaymentState.COMPLETED });
      expect(idsOf(await listed(caller))).toContain(id);
    }
    await expect(get(stranger, id)).rejects.toMatchObject(NOT_FOUND);
    expect(await usedToday()).toBe(1_250n);
  });

  it('shows the payee the checks of the mandate, and nothing about the payer’s account', async () => {
    const { collect } = await openMandate(platform, { limits: { dailyMinor: 5_000n } });
    const request = { requestId: newId('req') };
    const created = await collect(request);
    const { id } = present(created.payment);
    expect(await collect(request)).toEqual({ ...created, replayed: true });
    for (const seen of [created.payment, await get(payee, id), (await listed(payee))[0]]) {
      expect(checksOf(seen)).toEqual(['mandate', 'mandate_state', 'mandate.daily']);
      expect(seen?.decision).toMatchObject({ code: '', fromOwnerId: '', toOwnerId: payee.id });
    }
    expect(checksOf(await get(payer, id))).toContain('balance');
    const steps = await stepsFor(payee, id);
    expect(steps.map(({ decision }) => decision)).toEqual(steps.map(() => undefined));
    expect((await stepsFor(payer, id)).some(({ decision }) => decision !== undefined)).toBe(true);
  });

  it('has the reference and metadata of the payee, who finds it by them; the payer does not', async () => {
    const { collect } = await openMandate(platform);
    const reference = newId('req');
    const { id } = present((await collect({ reference, metadata: { order: reference } })).payment);
    const nothing = { reference: '', metadata: {} };
    const payees = { reference, metadata: { order: reference } };
    expect(await get(payee, id)).toMatchObject(payees);
    expect(await get(payer, id)).toMatchObject(nothing);
    expect(await get(platform.auditor, id)).toMatchObject({ ...nothing, payeeNotes: payees });
    for (const filter of [{ reference }, { metadata: { order: reference } }]) {
      expect(idsOf(await listed(payee, filter))).toEqual([id]);
      expect(await listed(payer, filter)).toEqual([]);
      expect(idsOf(await listed(platform.auditor, filter))).toEqual([id]);
    }
    const change = { paymentId: id, metadata: {}, removedMetadata: ['order'] };
    await platform.client.changePaymentNotes({ ...change, reference: 'mine' }, await callAs(payer));
    await platform.client.changePaymentNotes({ ...change, reference: undefined }, await callAs(payee));
    expect(await get(payer, id)).toMatchObject({ reference: 'mine', metadata: {} });
    expect(await get(payee, id)).toMatchObject({ reference, metadata: {} });
    expect(await listed(payee, { metadata: { order: reference } })).toEqual([]);
  });

  it('that holds money is captured by the payee if it says so, and gives the rest back to the mandate', async () => {
    const { collect, usedToday } = await openMandate(platform);
    const terms = { captureMode: CaptureMode.MANUAL, captureBy: CaptureBy.PAYEE };
    const { id } = present((await collect(terms)).payment);
    const capture = { requestId: newId('req'), paymentId: id, amountMinor: 250n, final: true };
    const notes = { reference: '', metadata: {} };
    const { payment } = await platform.client.capturePayment({ ...capture, ...notes }, await callAs(payee));
    expect(payment).toMatchObject({ state: PaymentState.COMPLETED, capturedMinor: 250n });
    expect(checksOf(payment)).toEqual(['mandate', 'mandate_state']);
    expect(await usedToday()).toBe(250n);
  });
});

describe('a declined collection', () => {
  it.each<[string, bigint, string, Partial<Record<'limit' | 'used', bigint>> | undefined]>([
    ['by the mandate has its limit', 3_001n, 'MANDATE_LIMIT_EXCEEDED', { limit: 3_000n, used: 0n }],
    ['by the balance has no figures', FUNDS + 1n, 'INSUFFICIENT_BALANCE', undefined],
  ])('%s, and both sides see it', async (_, amountMinor, code, limit) => {
    const limits = code === 'MANDATE_LIMIT_EXCEEDED' ? { dailyMinor: 3_000n } : {};
    const { mandateId, collect } = await openMandate(platform, { limits });
    const request = { requestId: newId('req'), amountMinor };
    const created = await collect(request);
    const { id } = present(created.payment);
    expect(await collect(request)).toEqual({ ...created, replayed: true });
    for (const seen of [created.payment, await get(payee, id), (await listed(payee))[0]]) {
      expect(seen).toMatchObject({ id, mandateId, state: PaymentState.FAILED, failure: { code } });
      expect(checksOf(seen)?.every((name) => name.startsWith('mandate'))).toBe(true);
      if (limit) expect(seen?.decision?.limit).toMatchObject(limit);
      else expect(seen?.decision?.limit).toBeUndefined();
    }
    expect(idsOf(await listed(payer))).toContain(id);
    await expect(get(stranger, id)).rejects.toMatchObject(NOT_FOUND);
    const [initiated, ...failed] = await announced(platform.db, id);
    expect(initiated?.event).toMatchObject({ fromOwnerId: '', toOwnerId: '' });
    expect(failed.map(({ destination }) => destination)).toEqual(['payment-events', 'payment-notifications']);
    for (const { event } of failed)
      expect(event).toMatchObject({ fromOwnerId: payer.id, toOwnerId: payee.id });
  });

  it('after the revocation is seen by both too', async () => {
    const { collect, revoke, usedToday } = await openMandate(platform);
    await revoke();
    const { id, failure } = present((await collect()).payment);
    expect(failure).toEqual({ code: 'MANDATE_NOT_ACTIVE', message: 'The mandate was revoked.' });
    for (const caller of [payer, payee]) expect((await get(caller, id))?.failure).toEqual(failure);
    expect(await usedToday()).toBe(0n);
  });

  it('by a rule does not show the payee the text for the payer', async () => {
    const { collect, fromAccount } = await openMandate(platform);
    const disable = await platform.authorization.makeRule({
      name: newId('req'),
      expression: `from.id == '${fromAccount}'`,
      action: RuleAction.DECLINE,
    });
    const { id, failure, decision } = present((await collect()).payment);
    await disable();
    const message = 'A rule of the platform declines this payment.';
    expect([failure, decision?.message]).toEqual([{ code: 'RULE_DECLINED', message }, message]);
    expect((await get(payer, id))?.failure?.code).toBe('RULE_DECLINED');
  });

  it('by the state of the payer’s account is seen by both', async () => {
    const { collect, fromAccount } = await openMandate(platform);
    await platform.authorization.changeState(fromAccount, AccountState.FROZEN);
    const { id, failure } = present((await collect()).payment);
    expect(failure?.code).toBe('FROM_ACCOUNT_NOT_ACTIVE');
    expect((await get(payee, id))?.failure?.code).toBe('FROM_ACCOUNT_NOT_ACTIVE');
  });
});

describe('a declined payment by the payer', () => {
  it('is not seen by the payee, also if there is a mandate between them', async () => {
    const { fromAccount, toAccount, collect } = await openMandate(platform);
    const own = { fromAccount, toAccount, mandateId: '', amountMinor: FUNDS + 1n };
    const { id } = present((await collect(own, { by: payer })).payment);
    await expect(get(payee, id)).rejects.toMatchObject(NOT_FOUND);
    expect(idsOf(await listed(payee))).not.toContain(id);
    expect((await get(payer, id))?.mandateId).toBe('');
  });
});

describe('a caller who may not use the mandate', () => {
  it('gets the same answer as for an unknown one, and neither side sees the attempt', async () => {
    const { collect, usedToday } = await openMandate(platform);
    const attempts = [
      () => collect({}, { by: stranger }),
      () => collect({}, { by: payer }),
      () => collect({ mandateId: newId('man') }),
    ];
    const before = [await listed(payer), await listed(payee), await listed(stranger)].map(idsOf);
    const refusals = await Promise.all(attempts.map((attempt) => attempt().catch((error) => error)));
    const [first] = refusals;
    expect(first).toMatchObject({ reason: 'MANDATE_NOT_FOUND' });
    for (const refusal of refusals)
      expect({ ...refusal, message: refusal.message }).toEqual({ ...first, message: first.message });
    const after = [await listed(payer), await listed(payee), await listed(stranger)].map(idsOf);
    expect(after).toEqual(before);
    expect(await usedToday()).toBe(0n);
  });

  it('may use the same key again', async () => {
    const { collect } = await openMandate(platform);
    const requestId = newId('req');
    const wrong = { requestId, mandateId: newId('man') };
    for (const request of [wrong, wrong])
      await expect(collect(request)).rejects.toMatchObject({ reason: 'MANDATE_NOT_FOUND' });
    expect((await collect({ requestId })).payment?.state).toBe(PaymentState.COMPLETED);
  });

  it('does not get further by a simulation', async () => {
    const { collect, fromAccount, toAccount, mandateId } = await openMandate(platform);
    const { payment: made } = await collect();
    const simulate = async (by: Caller, mandate: string, amountMinor: bigint) => {
      const payment = { ...present(made), fromAccount, toAccount, mandateId: mandate, amountMinor };
      const request = { ...payment, requestId: '', holdSeconds: 0, captureBy: CaptureBy.UNSPECIFIED };
      return (await platform.client.simulatePayment({ payment: request }, await callAs(by))).decision;
    };
    const unknown = { reason: 'MANDATE_NOT_FOUND' };
    await expect(simulate(stranger, mandateId, 1n)).rejects.toMatchObject(unknown);
    await expect(simulate(payee, newId('man'), 1n)).rejects.toMatchObject(unknown);
    // More than the payer has: the payee learns only that the mandate allows it.
    const simulated = await simulate(payee, mandateId, 10n * FUNDS);
    expect(simulated).toMatchObject({ code: '', fromOwnerId: '' });
    expect(simulated?.checks.map(({ name }) => name)).toEqual(['mandate', 'mandate_state']);
  });

  it('gets an error that names the field if the id has another form', async () => {
    const { collect } = await openMandate(platform);
    await expect(collect({ mandateId: 'man_1' })).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      violations: [{ field: 'mandate_id' }],
    });
  });
});

describe('a key', () => {
  it('belongs to its mandate: the same payment by another one is another request', async () => {
    const { collect } = await openMandate(platform);
    const requestId = newId('req');
    await collect({ requestId });
    const other = await openMandate(platform);
    await expect(collect({ requestId, mandateId: other.mandateId })).rejects.toMatchObject({
      reason: 'IDEMPOTENCY_KEY_REUSED',
    });
    await expect(collect({ requestId, mandateId: '' })).rejects.toMatchObject({
      reason: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  it('of many requests at once makes one payment and uses the mandate once', async () => {
    const { collect, usedToday } = await openMandate(platform);
    const requestId = newId('req');
    const attempts = Array.from({ length: 20 }, () => collect({ requestId }).catch((error) => error));
    const answers = await Promise.all(attempts);
    const ids = answers.flatMap(({ payment }) => payment?.id ?? []);
    expect(new Set(ids).size).toBe(1);
    for (const { payment, reason } of answers) if (!payment) expect(reason).toBe('IDEMPOTENCY_IN_PROGRESS');
    expect(await usedToday()).toBe(1_250n);
  });
});

describe('a collection without an outcome', () => {
  it('is seen by the payee that made it and not by the payer; recovery decides it once', async () => {
    const impatient = await platform.startImpatientServer();
    const { collect, usedToday, toAccount } = await openMandate(platform);
    open = platform.authorization.holdAnswers();
    const request = { requestId: newId('req'), reference: 'invoice 8' };
    const { payment } = await collect(request, { server: impatient, deadlineMs: 2_000 });
    const { id } = present(payment);
    expect(payment).toMatchObject({ state: PaymentState.INITIATED, reference: 'invoice 8' });
    expect(await get(payee, id)).toMatchObject({ state: PaymentState.INITIATED, reference: 'invoice 8' });
    await expect(get(payer, id)).rejects.toMatchObject(NOT_FOUND);
    open();
    await platform.recover(3_600_000);
    expect(await get(payer, id)).toMatchObject({ state: PaymentState.COMPLETED });
    const again = await collect(request);
    expect(again).toMatchObject({ replayed: true, payment: { id, state: PaymentState.COMPLETED } });
    expect(await usedToday()).toBe(1_250n);
    expect(await platform.authorization.approvals(id)).toBe(1);
    const [{ postedMinor } = { postedMinor: 0n }] = await platform.authorization.movedIn(toAccount);
    // The account of the payee is opened with FUNDS or without: only this payment moved.
    expect(postedMinor).toBe(1_250n);
  });
});
