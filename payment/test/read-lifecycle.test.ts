import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { testLog } from '@payflowx/chassis/testing';
import { CaptureMode, Outcome } from '@payflowx/proto/authorization';
import {
  CaptureBy,
  CaptureState,
  type CreatePaymentRequest,
  PaymentState,
  type Refund,
} from '@payflowx/proto/payment';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../src/store/database.ts';
import { ALL, acceptStep, lifecycleOf } from './lifecycle.ts';
import { FUNDS, type Platform, startPlatform } from './payment-platform.ts';

type Caller = Platform['customer'];

const SIMULATIONS_PER_MINUTE = 10;

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform({ simulationsPerMinute: SIMULATIONS_PER_MINUTE });
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());

const stranger = { id: newId('usr'), roles: ['customer'] as const };

describe('the steps of a payment', () => {
  it('are its events in order, each with its movements, actor and trace', async () => {
    const { customer, otherCustomer } = platform;
    const { id } = await life.hold();
    await life.capture(id, { amountMinor: 300n });
    await life.capture(id, { amountMinor: 100n, final: true });
    const { refund } = await life.refund(id, { amountMinor: 50n });
    const steps = await life.steps(id);
    const events = await life.events(id);
    expect(
      steps.map(({ eventId, type, movements, refundId, occurredAt, state }) => ({
        eventId,
        type,
        movements,
        refundId,
        occurredAt,
        state,
      })),
    ).toEqual(
      events.map(({ event, type }) => ({
        eventId: event.id,
        type,
        movements: event.movements,
        refundId: event.refundId,
        occurredAt: event.occurredAt,
        state: event.payment?.state,
      })),
    );
    expect(steps.map(({ actorId }) => actorId)).toEqual([
      ...Array.from({ length: 4 }, () => customer.id),
      otherCustomer.id,
    ]);
    expect(steps.at(-1)?.refundId).toBe(refund?.id);
    expect(steps.map(({ traceId }) => traceId)).toEqual(
      events.map(({ traceparent }) => traceparent.split('-')[1]),
    );
  });

  it('show each side only its own decisions and id, and a stranger nothing', async () => {
    const { customer, otherCustomer, operator, auditor } = platform;
    const { id } = await life.hold();
    await life.capture(id);
    await life.refund(id);
    const shown = async (by: Platform['customer']) => {
      const steps = await life.steps(id, by);
      expect(steps.map(({ movements }) => movements.length)).toEqual([0, 1, 2, 1]);
      return steps.map(({ decision, actorId }) => `${decision ? 'why' : '-'} ${actorId ? 'who' : '-'}`);
    };
    expect(await shown(customer)).toEqual(['- who', 'why who', 'why who', '- -']);
    expect(await shown(otherCustomer)).toEqual(['- -', '- -', '- -', 'why who']);
    for (const all of [operator, auditor]) {
      expect(await shown(all)).toEqual(['- who', 'why who', 'why who', 'why who']);
    }
    await expect(life.steps(id, stranger)).rejects.toMatchObject({ code: 5, reason: 'PAYMENT_NOT_FOUND' });
  });

  it('of an expiry have no actor', async () => {
    const { id } = await life.hold();
    platform.authorization.setClockAhead(120_000);
    await platform.expire(120_000);
    platform.authorization.setClockAhead(0);
    expect((await life.steps(id)).at(-1)).toMatchObject({ type: 'payment.expired', actorId: '' });
  });

  it('of a declined payment are two', async () => {
    const { id } = await life.pay({ amountMinor: FUNDS + 1n });
    const steps = await life.steps(id, platform.customer);
    expect(steps.map(({ type, state }) => [type, state])).toEqual([
      ['payment.initiated', PaymentState.INITIATED],
      ['payment.failed', PaymentState.FAILED],
    ]);
  });
});

it('the refunds of a payment come newest first, with nothing twice or skipped while more are made', async () => {
  const { client, otherCustomer } = platform;
  const { id } = await life.pay();
  const made: string[] = [];
  const makeOne = async () => made.unshift((await life.refund(id, { amountMinor: 1n })).refund?.id ?? '');
  for (let count = 0; count < 7; count += 1) await makeOne();
  const before = [...made];
  const listed: Refund[] = [];
  let pageToken = '';
  do {
    const request = { ...ALL, paymentId: id, pageSize: 2, pageToken };
    const page = await client.listRefunds(request, await life.callAs(otherCustomer));
    listed.push(...page.refunds);
    pageToken = page.nextPageToken;
    await makeOne();
  } while (pageToken !== '');
  expect(listed.map((refund) => refund.id)).toEqual(before);

  const list = async (given: object, by = otherCustomer) =>
    client.listRefunds({ ...ALL, paymentId: id, ...given }, await life.callAs(by));
  await expect(list({}, stranger)).rejects.toMatchObject({ reason: 'PAYMENT_NOT_FOUND' });
});

it('refunds of one millisecond follow each other over the pages, each once', async () => {
  const { client, otherCustomer, adminUrl } = platform;
  const { id } = await life.pay();
  const made: string[] = [];
  for (let count = 0; count < 3; count += 1)
    made.push((await life.refund(id, { amountMinor: 1n })).refund?.id ?? '');
  const admin = openDatabase<Database>({ url: adminUrl, poolMax: 1 }, testLog);
  await sql`update operations set created_at = '2026-01-01Z' where payment_id = ${id}`.execute(admin);
  await admin.destroy();
  const listed: string[] = [];
  let pageToken = '';
  do {
    const request = { ...ALL, paymentId: id, pageSize: 1, pageToken };
    const page = await client.listRefunds(request, await life.callAs(otherCustomer));
    listed.push(...page.refunds.map((refund) => refund.id));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  expect(listed).toEqual(made.toSorted().reverse());
});

describe('captures and refunds', () => {
  const notes = { reference: 'parcel-1', metadata: { order: '4711' } };
  const capturesFor = async (by: Caller, given: object = {}) =>
    (await platform.client.listCaptures({ ...ALL, ...given }, await life.callAs(by))).captures;
  const refundsFor = async (by: Caller, given: object = {}) =>
    (await platform.client.listRefunds({ ...ALL, ...given }, await life.callAs(by))).refunds;

  it('have an id, their requester’s notes, and the payment’s totals', async () => {
    const { client, customer, otherCustomer, operator } = platform;
    const { id } = await life.hold();
    const requestId = newId('req');
    const { captureId } = await life.capture(id, { amountMinor: 300n, requestId, ...notes });
    const again = await life.capture(id, { amountMinor: 300n, requestId, ...notes });
    expect(again).toMatchObject({ replayed: true, captureId });
    await expect(life.capture(id, { amountMinor: 300n, requestId })).rejects.toMatchObject({
      reason: 'IDEMPOTENCY_KEY_REUSED',
    });
    const { refund } = await life.refund(id, { amountMinor: 100n, ...notes });
    const payment = { state: PaymentState.PARTIALLY_CAPTURED, capturedMinor: 300n, refundedMinor: 100n };
    expect(refund).toMatchObject({ ...notes, payment });

    const noNotes = { reference: '', metadata: {} };
    const refundId = refund?.id ?? '';
    for (const [by, ofCapture, ofRefund] of [
      [customer, notes, noNotes],
      [otherCustomer, noNotes, notes],
      [operator, notes, notes],
    ] as const) {
      const call = await life.callAs(by);
      const { capture } = await client.getCapture({ captureId }, call);
      expect(capture).toMatchObject({
        id: captureId,
        state: CaptureState.COMPLETED,
        amountMinor: 300n,
        payment,
      });
      expect(capture).toMatchObject(ofCapture);
      expect((await client.getRefund({ refundId }, call)).refund).toMatchObject({
        id: refundId,
        ...ofRefund,
      });
      expect(await capturesFor(by, { paymentId: id })).toEqual([capture]);
      expect((await refundsFor(by, { paymentId: id }))[0]).toMatchObject(ofRefund);
    }
    const call = await life.callAs(stranger);
    await expect(client.getCapture({ captureId }, call)).rejects.toMatchObject({
      reason: 'CAPTURE_NOT_FOUND',
    });
    await expect(client.getRefund({ refundId }, call)).rejects.toMatchObject({ reason: 'REFUND_NOT_FOUND' });
    for (const other of [id, refundId, 'cap_x'])
      await expect(
        client.getCapture({ captureId: other }, await life.callAs(operator)),
      ).rejects.toMatchObject({
        reason: 'CAPTURE_NOT_FOUND',
      });
    expect(await capturesFor(stranger)).toEqual([]);
  });

  it('are listed for their side at once, and for the other side once they moved money', async () => {
    const { customer, otherCustomer, auditor } = platform;
    const { id, fromAccount } = await life.hold({ captureBy: CaptureBy.PAYEE });
    const { begun } = await acceptStep(platform, id, 'CAPTURE', otherCustomer);
    const idsFor = async (by: Caller) =>
      (await capturesFor(by, { state: CaptureState.PENDING })).map((capture) => capture.id);
    expect(await idsFor(otherCustomer)).toEqual([begun.operation.id]);
    expect(await idsFor(auditor)).toContain(begun.operation.id);
    expect(await idsFor(customer)).toEqual([]);
    await platform.recoverOperations(3_600_000);
    expect(await idsFor(otherCustomer)).toEqual([]);
    const done = { state: CaptureState.COMPLETED, accountId: fromAccount };
    for (const by of [customer, otherCustomer, auditor])
      expect((await capturesFor(by, done))[0]).toMatchObject({ id: begun.operation.id, amountMinor: 1_000n });
  });

  it.each(['CAPTURE', 'REFUND'] as const)(
    'without an outcome are read by their side and by those who see all only, by id and in every list: %s',
    async (kind) => {
      const { client, customer, otherCustomer, operator } = platform;
      const isCapture = kind === 'CAPTURE';
      const payment = await (isCapture ? life.hold({ captureBy: CaptureBy.PAYEE }) : life.pay());
      const { begun } = await acceptStep(platform, payment.id, kind, otherCustomer);
      const { id } = begun.operation;
      const read = async (by: Caller) => {
        const call = await life.callAs(by);
        if (isCapture) return (await client.getCapture({ captureId: id }, call)).capture;
        return (await client.getRefund({ refundId: id }, call)).refund;
      };
      const filters = [
        {},
        { paymentId: payment.id },
        { accountId: payment.fromAccount },
        { accountId: payment.toAccount },
        { paymentId: payment.id, accountId: payment.toAccount },
      ];
      const isListed = async (by: Caller) => {
        const lists = await Promise.all(
          filters.map((filter) => (isCapture ? capturesFor(by, filter) : refundsFor(by, filter))),
        );
        return lists.map((list) => list.some((one) => one.id === id));
      };
      for (const by of [otherCustomer, operator]) {
        expect(await read(by)).toMatchObject({ id });
        expect(await isListed(by)).toEqual(filters.map(() => true));
      }
      await expect(read(customer)).rejects.toMatchObject({ reason: `${kind}_NOT_FOUND` });
      expect(await isListed(customer)).toEqual(filters.map(() => false));
      // Nor does a list of the one kind show the other.
      const others = await (isCapture ? refundsFor : capturesFor)(operator, { paymentId: payment.id });
      expect(others.map((one) => one.id)).not.toContain(id);

      await platform.recoverOperations(3_600_000);
      expect(await read(customer)).toMatchObject({ id });
      expect(await isListed(customer)).toEqual(filters.map(() => true));
    },
  );

  it.each([
    ['another state', { state: 7 }, 'INVALID_ARGUMENT'],
    ['no account', { accountId: 'acct_x' }, 'INVALID_ARGUMENT'],
    ['an unknown payment', { paymentId: 'pay_x' }, 'PAYMENT_NOT_FOUND'],
  ])('are not listed by %s', async (_name, given, reason) => {
    await expect(capturesFor(platform.auditor, given)).rejects.toMatchObject({ reason });
    await expect(refundsFor(platform.auditor, given)).rejects.toMatchObject({ reason });
  });
});

describe('a simulation', () => {
  const simulate = async (given: Partial<CreatePaymentRequest> = {}, by = platform.customer) => {
    const payment = { ...(await platform.newRequest(given)), requestId: '' };
    return platform.client.simulatePayment({ payment }, await life.callAs(by));
  };
  const count = async () => {
    const { rows } = await sql<{ rows: bigint }>`
      select (select count(*) from payments) + (select count(*) from idempotency_keys) + (select count(*) from outbox)
        as rows`.execute(platform.db);
    return rows[0]?.rows;
  };

  it('gives the decision with its checks and writes nothing, approved or declined', async () => {
    const before = await count();
    const approved = await simulate({ captureMode: CaptureMode.MANUAL });
    expect(approved.decision?.outcome).toBe(Outcome.APPROVED);
    expect(approved.decision?.checks.at(-1)?.name).toBe('balance');
    const declined = await simulate({ amountMinor: FUNDS + 1n });
    expect(declined.decision).toMatchObject({ code: 'INSUFFICIENT_BALANCE' });
    expect(await count()).toBe(before);
  });

  it('is checked like a payment, except for the key', async () => {
    const [from, to] = [newId('acct'), newId('acct')];
    const invalid = { fromAccount: from, toAccount: to, amountMinor: 0n, currency: 'eur' };
    await expect(simulate(invalid)).rejects.toMatchObject({
      code: 3,
      violations: [{ field: 'amount_minor' }, { field: 'currency' }],
    });
    const account = await platform.accountOf(platform.customer);
    await expect(simulate({ fromAccount: account, toAccount: account })).rejects.toMatchObject({
      reason: 'SAME_ACCOUNT',
    });
    const nothing = platform.client.simulatePayment(
      { payment: undefined },
      await life.callAs(platform.customer),
    );
    await expect(nothing).rejects.toMatchObject({ code: 3, violations: [{ field: 'payment' }] });
    await expect(simulate({}, platform.auditor)).rejects.toMatchObject({ reason: 'ROLE_NOT_ALLOWED' });
  });

  it('passes on that the caller has used up its simulations, with the time of the next one', async () => {
    const eager: Caller = { id: newId('usr'), roles: ['customer'] };
    const own = { fromAccount: await platform.accountOf(eager) };
    const tooMany = async () => {
      // A new minute may begin meanwhile, and with it a new quota.
      for (;;) await simulate(own, eager);
    };
    const error = await tooMany().catch((refusal) => refusal);
    expect(error).toMatchObject({ code: 8, reason: 'TOO_MANY_REQUESTS' });
    expect(error.retryAfterMs).toBeGreaterThan(0);
    expect(error.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect((await simulate()).decision?.outcome, 'of another caller').toBe(Outcome.APPROVED);
  });

  it('from an account that does not exist or is not the caller’s is NOT_FOUND', async () => {
    const foreign = await platform.accountOf(platform.otherCustomer);
    for (const fromAccount of [newId('acct'), foreign]) {
      const refused = { code: 5, reason: 'FROM_ACCOUNT_NOT_FOUND' };
      await expect(simulate({ fromAccount })).rejects.toMatchObject(refused);
    }
  });
});
