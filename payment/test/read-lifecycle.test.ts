import { CallError, newId } from '@payflowx/chassis';
import { CaptureMode, Outcome } from '@payflowx/proto/authorization';
import { PaymentState, type Refund } from '@payflowx/proto/payment';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decline } from './fake-authorization.ts';
import { lifecycleOf } from './lifecycle.ts';
import { type Platform, paymentRequest, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());
afterEach(() => platform.authorization.answerWith(undefined));

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
    platform.authorization.advanceClock(120_000);
    await platform.expire(120_000);
    platform.authorization.advanceClock(0);
    expect((await life.steps(id)).at(-1)).toMatchObject({ type: 'payment.expired', actorId: '' });
  });

  it('of a declined payment are two', async () => {
    platform.authorization.answerWith((item) => decline(item, 'INSUFFICIENT_BALANCE', platform.ownerOf));
    const { id } = await life.pay();
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
    const request = { paymentId: id, pageSize: 2, pageToken };
    const page = await client.listRefunds(request, await life.callAs(otherCustomer));
    listed.push(...page.refunds);
    pageToken = page.nextPageToken;
    await makeOne();
  } while (pageToken !== '');
  expect(listed.map((refund) => refund.id)).toEqual(before);

  const list = async (given: object, by = otherCustomer) =>
    client.listRefunds({ paymentId: id, pageSize: 0, pageToken: '', ...given }, await life.callAs(by));
  await expect(list({}, stranger)).rejects.toMatchObject({ reason: 'PAYMENT_NOT_FOUND' });
});

describe('a simulation', () => {
  const simulate = async (given: object = {}, by = platform.customer) => {
    const payment = paymentRequest({
      requestId: '',
      fromAccount: platform.accountOf(platform.customer),
      toAccount: platform.accountOf(platform.otherCustomer),
      ...given,
    });
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
    expect(approved.decision).toMatchObject({ outcome: Outcome.APPROVED, checks: [{ name: 'balance' }] });
    platform.authorization.answerWith((item) => decline(item, 'INSUFFICIENT_BALANCE', platform.ownerOf));
    expect((await simulate()).decision).toMatchObject({ code: 'INSUFFICIENT_BALANCE' });
    expect(await count()).toBe(before);
  });

  it('is checked like a payment, except for the key', async () => {
    await expect(simulate({ amountMinor: 0n, currency: 'eur' })).rejects.toMatchObject({
      code: 3,
      violations: [{ field: 'amount_minor' }, { field: 'currency' }],
    });
    const account = platform.accountOf(platform.customer);
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
    platform.authorization.answerWith(() => {
      throw new CallError('TOO_MANY_REQUESTS', 'A caller may simulate …', { retryAfterMs: 7_000 });
    });
    await expect(simulate()).rejects.toMatchObject({
      code: 8,
      reason: 'TOO_MANY_REQUESTS',
      retryAfterMs: 7_000,
    });
  });

  it('from an account that does not exist or is not the caller’s is NOT_FOUND', async () => {
    platform.authorization.answerWith((item) => decline(item, 'FROM_ACCOUNT_NOT_FOUND', platform.ownerOf));
    await expect(simulate()).rejects.toMatchObject({ code: 5, reason: 'FROM_ACCOUNT_NOT_FOUND' });
  });
});
