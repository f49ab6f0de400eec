/**
 * Payments and operations without an outcome: how often they are retried, their effect on others, and their status for operators.
 */
import { newId } from '@payflowx/chassis';
import { ReleaseCause } from '@payflowx/proto/authorization';
import { PaymentState } from '@payflowx/proto/payment';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Order, toPaymentOrder } from '../src/domain/order.ts';
import { acceptStep, lifecycleOf } from './lifecycle.ts';
import { CALL, type Platform, type Server, startPlatform } from './payment-platform.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
/** Another instance, with a short timeout for outcomes. */
let hasty: Server;
beforeAll(async () => {
  platform = await startPlatform();
  hasty = await platform.startImpatientServer();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());
afterEach(async () => {
  const { authorization, db } = platform;
  authorization.setClockAhead(0);
  authorization.storeTooEarlyDeclines(false);
  authorization.failItems();
  authorization.failCalls();
  authorization.failSteps();
  // No test sees pending work of another test.
  await sql`update payments set state = 'CANCELLED' where state in ('INITIATED', 'AUTHORIZED', 'PARTIALLY_CAPTURED')`.execute(
    db,
  );
  await sql`update operations set state = 'DECLINED', failure_code = 'X' where state = 'PENDING'`.execute(db);
});

const holdMany = (count: number, holdSeconds: number) =>
  Promise.all(Array.from({ length: count }, async () => (await life.hold({ holdSeconds })).id));

/** All expiries of these payments, in any state. */
async function expiriesOf(ids: readonly string[]) {
  const operations = platform.db.selectFrom('operations').select(['id', 'payment_id', 'state', 'attempts']);
  return operations.where('kind', '=', 'EXPIRE').where('payment_id', 'in', ids).execute();
}
const askedAbout = (ids: readonly string[]) =>
  platform.authorization.steps.filter(({ request }) => ids.includes(request.paymentId)).length;

/** Retries by recovery. Calls that gRPC itself repeats on a busy machine do not count. */
const retriesOf = async (ids: readonly string[]) =>
  (await expiriesOf(ids)).reduce((sum, { attempts }) => sum + attempts, 0);

const status = async () => platform.client.getRecoveryStatus({}, await life.callAs(platform.operator));

describe('a clock one hour ahead of authorization’s', () => {
  it('creates one expiry for each hold, retries at the time that authorization names, and is logged once', async () => {
    const ids = await holdMany(120, 1_800);
    platform.authorization.setClockAhead(-HOUR);
    // Half an hour has passed by our clock only. The responses of the first run show that our clock is ahead. Expiries that have
    // begun still wait.
    for (let round = 0; round < 10; round += 1) await platform.expire(31 * MINUTE);
    const begun = await expiriesOf(ids);
    expect(begun).toHaveLength(100);
    for (const minutes of [32, 40, 60, 89]) await platform.recoverOperations(minutes * MINUTE);
    expect(await retriesOf(ids), 'no retry before its time').toBe(0);

    const logged = platform.logged.filter(({ fields }) => 'clock_ahead_ms' in fields);
    expect(logged).toEqual([
      { fields: { clock_ahead_ms: expect.closeTo(HOUR, -4) }, message: expect.stringContaining('clock') },
    ]);
    const { clockAheadMs, clockComparedAt, operations } = await status();
    expect(Number(clockAheadMs)).toBeCloseTo(HOUR, -4);
    expect(clockComparedAt?.getTime()).toBeCloseTo(Date.now(), -5);
    expect(operations).toEqual({ waitingCount: 100n, stuckCount: 0n, stuckIds: [] });

    // Half an hour later by authorization's clock.
    platform.authorization.setClockAhead(31 * MINUTE);
    await platform.expire(91 * MINUTE);
    await platform.recoverOperations(91 * MINUTE);
    const ended = await expiriesOf(ids);
    expect(ended).toHaveLength(120);
    expect(new Set(ended.map(({ payment_id }) => payment_id)).size).toBe(120);
    expect(new Set(ended.map(({ state }) => state))).toEqual(new Set(['COMPLETED']));
    expect(await retriesOf(ids), 'one retry of each that was too early').toBe(100);
    await life.expectAmountsToAgree(ids[0] ?? '');
  });

  it('holds money as long as requested, from authorization’s time on', async () => {
    platform.authorization.setClockAhead(-HOUR);
    const { expiresAt, state } = await life.hold({ holdSeconds: 20 });
    expect(state).toBe(PaymentState.AUTHORIZED);
    expect(expiresAt?.getTime()).toBeCloseTo(Date.now() - HOUR + 20_000, -4);
  });

  it('begins new expiries, less and less often, if an older authorization stores that it was too early', async () => {
    const ids = [(await life.hold({ holdSeconds: 60 })).id];
    platform.authorization.setClockAhead(-HOUR);
    platform.authorization.storeTooEarlyDeclines(true);
    // The decline names no time. It is stored and may be old, so it says nothing about the clocks.
    for (let passed = 0; passed < HOUR; passed += 10_000) await platform.expire(passed);
    const begun = await expiriesOf(ids);
    expect(begun.length).toBeGreaterThan(3);
    expect(begun.length).toBeLessThan(12);
    expect(new Set(begun.map(({ state }) => state))).toEqual(new Set(['DECLINED']));
    platform.authorization.setClockAhead(2 * MINUTE);
    await platform.expire(3 * HOUR);
    expect((await life.get(ids[0] ?? '')).state).toBe(PaymentState.EXPIRED);
  });
});

describe('work that fails on each attempt', () => {
  it('is retried less and less often, counts as stuck, and is logged once', async () => {
    const { authorization, logged, db } = platform;
    const { id: heldId } = await life.hold({ holdSeconds: 1 });
    authorization.setClockAhead(2_000);
    const initiatedId = await acceptPayment();
    authorization.failItems(({ paymentId }) => paymentId === initiatedId);
    authorization.failSteps(({ request }) => request.paymentId === heldId);
    await platform.expire(2_000);
    for (let passed = 0; passed <= HOUR; passed += 5_000) {
      await platform.recover(2_000 + passed);
      await platform.recoverOperations(2_000 + passed);
    }
    const asked = {
      payment: authorization.asked.filter(({ paymentId }) => paymentId === initiatedId).length,
      expiry: askedAbout([heldId]),
    };
    for (const count of Object.values(asked)) {
      expect(count).toBeGreaterThan(25);
      expect(count).toBeLessThan(50);
    }
    const [expiry, ...others] = await expiriesOf([heldId]);
    expect(others).toEqual([]);
    expect(await status()).toMatchObject({
      payments: { waitingCount: 1n, stuckCount: 1n, stuckIds: [initiatedId] },
      operations: { waitingCount: 1n, stuckCount: 1n, stuckIds: [expiry?.id] },
    });
    const stuckLines = logged.filter(({ fields }) => 'stuck' in fields).map(({ fields }) => fields);
    expect(stuckLines).toContainEqual({ stuck: 1, ids: [initiatedId] });
    expect(stuckLines).toContainEqual({ stuck: 1, ids: [expiry?.id] });
    expect(stuckLines).toHaveLength(2);

    authorization.failItems();
    authorization.failSteps();
    await platform.recover(2 * HOUR);
    await platform.recoverOperations(2 * HOUR);
    expect((await life.get(heldId)).state).toBe(PaymentState.EXPIRED);
    expect((await life.get(initiatedId)).state).toBe(PaymentState.COMPLETED);
    const { stuckCount } = (await status()).operations ?? {};
    expect(stuckCount).toBe(0n);
    await sql`update operations set attempts = 0`.execute(db);
  });

  it('delays neither the expiry nor the recovery of other payments, even with a hundred of them', async () => {
    const { authorization } = platform;
    const poisoned = new Set(await holdMany(100, 1));
    authorization.setClockAhead(5_000);
    authorization.failSteps(({ request }) => poisoned.has(request.paymentId));
    const { id } = await life.hold({ holdSeconds: 2 });
    authorization.setClockAhead(10_000);
    await platform.expire(10_000);
    await platform.expire(10_000);
    expect((await life.get(id)).state).toBe(PaymentState.EXPIRED);

    const other = await life.hold();
    await acceptStep(platform, other.id);
    await platform.recoverOperations(12_000);
    await platform.recoverOperations(12_000);
    expect((await life.get(other.id)).state).toBe(PaymentState.COMPLETED);
  });

  it('that fails a whole call fails only its own payment', async () => {
    const { authorization } = platform;
    const [first, poisoned, last] = [await acceptPayment(), await acceptPayment(), await acceptPayment()];
    authorization.failCalls(({ paymentId }) => paymentId === poisoned);
    await platform.recover(2_000);
    for (const id of [first, last]) expect((await life.get(id)).state).toBe(PaymentState.COMPLETED);
    expect((await life.get(poisoned)).state).toBe(PaymentState.INITIATED);
  });

  it('is not caused by a trace with unusual characters', async () => {
    const order = { captureMode: 'MANUAL', holdSeconds: 1 } as const;
    const id = await acceptPayment(order, '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n');
    await platform.recover(2_000);
    platform.authorization.setClockAhead(2_000);
    await platform.expire(2_000);
    expect((await life.get(id)).state).toBe(PaymentState.EXPIRED);
  });
});

describe('a step whose outcome is not stored', () => {
  /** Decided by authorization, stored nowhere, and skipped by recovery for an hour. */
  async function decideOnly(paymentId: string, kind: 'CAPTURE' | 'CANCEL') {
    const { authorization, db } = platform;
    const { begun } = await acceptStep(platform, paymentId, kind);
    const { operation } = begun;
    const step = { paymentId, operationId: operation.id, deadline: undefined };
    const { decision } =
      kind === 'CAPTURE'
        ? await authorization.rpc.captureHold({ ...step, amountMinor: 0n, final: true }, CALL)
        : await authorization.rpc.releaseHold({ ...step, cause: ReleaseCause.CANCEL }, CALL);
    expect(decision?.code, 'it is approved').toBe('');
    await sql`update operations set next_attempt_at = now() + interval '1 hour' where id = ${operation.id}`.execute(
      db,
    );
  }

  it('causes no second expiry', async () => {
    const { id } = await life.hold({ holdSeconds: 60 });
    await decideOnly(id, 'CAPTURE');
    for (let passed = 2 * MINUTE; passed < 10 * MINUTE; passed += 2 * MINUTE) {
      await hasty.expire(passed);
      await hasty.recoverOperations(passed);
    }
    expect(await expiriesOf([id])).toHaveLength(1);
  });

  it('does not delay a recovery run, however long a caller is ready to wait for it', async () => {
    const { id } = await life.hold();
    await decideOnly(id, 'CANCEL');
    const { begun } = await acceptStep(platform, id);
    const inAnHour = new Date(Date.now() + HOUR);
    const waiting = hasty.operations.resolve(begun, inAnHour).catch(() => undefined);
    const other = await life.hold();
    await acceptStep(platform, other.id);
    await hasty.recoverOperations(2_000);
    expect((await life.get(other.id)).state).toBe(PaymentState.COMPLETED);
    // The outcome is finally stored by another instance, and the caller has its response within the longest pause.
    await sql`update operations set next_attempt_at = now() where payment_id = ${id} and kind = 'CANCEL'`.execute(
      platform.db,
    );
    await sql`update payments set state = 'CANCELLED', released_minor = amount_minor where id = ${id}`.execute(
      platform.db,
    );
    expect(await waiting).toMatchObject({ refusal: { reason: 'INVALID_STATE' } });
  });
});

/** Leaves an accepted payment without a decision, like a process that dies right after accepting it. */
async function acceptPayment(given: Partial<Order> = {}, traceparent = ''): Promise<string> {
  const request = await platform.newRequest();
  const acceptance = await platform.flow.accept({
    operation: 'CreatePayment',
    order: toPaymentOrder({ ...request, captureBy: 'PAYER', captureMode: 'AUTOMATIC', ...given }),
    origin: { caller: platform.customer, requestId: newId('req'), traceparent },
    deadline: new Date(Date.now() + 5_000),
    isRetry: false,
  });
  return acceptance.payment.id;
}
