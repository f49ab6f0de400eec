/** Rows that another session holds locked. Only the payment that needs them waits or is left to recovery. */
import { status } from '@grpc/grpc-js';
import { newId } from '@payflowx/chassis';
import { eventually, testLog } from '@payflowx/chassis/testing';
import { PaymentState } from '@payflowx/proto/payment';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { settlePayments } from '../src/app/settle-payments.ts';
import { toPaymentOrder } from '../src/domain/order.ts';
import { APPROVED, lifecycleOf } from './lifecycle.ts';
import { type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
let unlock: () => Promise<void> = async () => {};
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterEach(async () => {
  await unlock();
});
afterAll(() => platform?.stop());

/** Locks rows in a session of its own, until `unlock`. */
async function lock(paymentId: string) {
  const isLocked = Promise.withResolvers<void>();
  const isOver = Promise.withResolvers<void>();
  const session = platform.db.transaction().execute(async (trx) => {
    await sql`select from payments where id = ${paymentId} for update`.execute(trx);
    isLocked.resolve();
    await isOver.promise;
  });
  await isLocked.promise;
  unlock = async () => {
    isOver.resolve();
    await session;
  };
}

const SOON = () => new Date(Date.now() + 20_000);

/** A payment that is accepted, and that authorization has not decided on. */
async function initiated() {
  const request = await platform.newRequest();
  const { payment } = await platform.flow.accept({
    operation: 'CreatePayment',
    order: toPaymentOrder({ ...request, captureMode: 'AUTOMATIC', captureBy: 'PAYER' }),
    origin: { caller: platform.customer, requestId: request.requestId, traceparent: '' },
    deadline: SOON(),
    isRetry: false,
  });
  return payment;
}

describe('a payment whose row is locked', () => {
  it('is settled when the row is free; the others of its batch, and later ones, are settled before that', async () => {
    const [locked, other] = [await initiated(), await initiated()];
    await lock(locked.id);
    const waiting = platform.flow.resolve(locked, SOON());
    expect(await platform.flow.resolve(other, SOON())).toMatchObject({ state: 'COMPLETED' });
    expect(await life.pay()).toMatchObject({ state: PaymentState.COMPLETED });
    await unlock();
    expect(await waiting).toMatchObject({ state: 'COMPLETED', version: 2n });
    await life.expectAmountsToAgree(locked.id);
  });

  it('is captured when the row is free; other payments are captured before that', async () => {
    const [locked, other] = [await life.hold(), await life.hold()];
    await lock(locked.id);
    const waiting = life.capture(locked.id, {}, { deadlineMs: 20_000 });
    const captured = await Promise.all([
      life.capture(other.id),
      life.hold().then(({ id }) => life.capture(id)),
    ]);
    expect(captured.map(({ payment }) => payment?.state)).toEqual([
      PaymentState.COMPLETED,
      PaymentState.COMPLETED,
    ]);
    await unlock();
    expect((await waiting).payment).toMatchObject({ state: PaymentState.COMPLETED });
    await life.expectAmountsToAgree(locked.id);
  });
});

it('outcomes are stored in the order of the payment ids, so that two flushes cannot deadlock', async () => {
  const [first, second] = [await initiated(), await initiated()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  if (!first || !second) throw new Error('There are no payments.');
  await lock(first.id);
  const deps = { db: platform.db, log: testLog, now: () => new Date(), newId };
  const requests = [second, first].map((payment) => ({ payment, decision: APPROVED }));
  const settled = settlePayments(deps, requests);
  await eventually(async () => {
    const { rows } = await sql`
      select from pg_locks join pg_stat_activity using (pid)
      where not granted and datname = current_database()`.execute(platform.db);
    expect(rows).not.toEqual([]);
  });
  // The flush waits for the first payment, and has not locked the second one before it.
  await sql`select from payments where id = ${second.id} for update nowait`.execute(platform.db);
  await unlock();
  expect((await settled).map(({ ok }) => ok)).toEqual([true, true]);
});

describe('idempotency keys that another session is taking', () => {
  const KEYS = 12;

  /** Takes keys of the customer in a session of its own, until `unlock`. */
  async function take(keys: readonly string[]) {
    const isLocked = Promise.withResolvers<void>();
    const isOver = Promise.withResolvers<void>();
    const session = platform.db.transaction().execute(async (trx) => {
      for (const key of keys)
        await sql`
          insert into idempotency_keys (caller_id, key, operation, fingerprint, payment_id, created_at)
          values (${platform.customer.id}, ${key}, 'CreatePayment', sha256(''), ${newId('pay')}, now())`.execute(
          trx,
        );
      isLocked.resolve();
      await isOver.promise;
    });
    await isLocked.promise;
    unlock = async () => {
      isOver.resolve();
      await session;
    };
  }

  it('are in progress, more of them than connections; every other payment of the call is completed', async () => {
    const accessToken = await platform.tokenOf(platform.customer);
    const requests = await Promise.all(Array.from({ length: 2 * KEYS }, () => platform.newRequest()));
    const items = requests.map((request) => ({ request, accessToken, traceparent: '', deadline: SOON() }));
    const keys = items.map(({ request }) => request.requestId);
    await take(keys.slice(0, KEYS));
    const call = { deadlineMs: 20_000 };
    // A server that is slow may take another wait for the lock on a key. The caller sends such a payment again, as any in progress.
    await eventually(async () => {
      const { results } = await platform.client.batchCreatePayments({ items, sentAt: undefined }, call);
      const outcomes = results.map(({ result }) =>
        result?.$case === 'response' ? result.value.payment?.state : result?.value.code,
      );
      expect(outcomes.slice(0, KEYS)).toEqual(Array(KEYS).fill(status.ABORTED));
      expect(outcomes.slice(KEYS)).toEqual(Array(KEYS).fill(PaymentState.COMPLETED));
    });
    // Requests outside of that call are not delayed by the locks at all.
    expect(await life.pay()).toMatchObject({ state: PaymentState.COMPLETED });
  });
});

describe('an account that is busy at authorization', () => {
  it('has its payment returned as INITIATED in one call with decided payments, and decided once it is free', async () => {
    const requests = await Promise.all([platform.newRequest(), platform.newRequest()]);
    unlock = await platform.authorization.lockAccounts(requests[1].fromAccount);
    const accessToken = await platform.tokenOf(platform.customer);
    const items = requests.map((request) => ({ request, accessToken, traceparent: '', deadline: SOON() }));
    const call = { deadlineMs: 20_000 };
    const { results } = await platform.client.batchCreatePayments({ items, sentAt: undefined }, call);
    const payments = results.map(({ result }) =>
      result?.$case === 'response' ? result.value.payment : undefined,
    );
    expect(payments.map((payment) => payment?.state)).toEqual([
      PaymentState.COMPLETED,
      PaymentState.INITIATED,
    ]);

    await unlock();
    const id = payments[1]?.id ?? '';
    // Without recovery, the payment is retried until the deadline of its caller.
    await eventually(async () => expect((await life.get(id)).state).toBe(PaymentState.COMPLETED));
    await life.expectAmountsToAgree(id);
  });

  it('leaves a payment INITIATED and an operation pending at their deadlines, and recovery brings both to an end', async () => {
    const request = await platform.newRequest();
    const { id: held, fromAccount } = await life.hold();
    unlock = await platform.authorization.lockAccounts(request.fromAccount, fromAccount);
    const [{ payment }, capture] = await Promise.all([
      platform.client.createPayment(request, await life.callAs(platform.customer, 1_000)),
      life.capture(held, {}, { deadlineMs: 1_000 }),
    ]);
    expect(payment?.state).toBe(PaymentState.INITIATED);
    expect(capture.pending).toBe(true);

    await unlock();
    const ids = [payment?.id ?? '', held];
    await eventually(async () => {
      await platform.recover(60_000);
      await platform.recoverOperations(60_000);
      for (const id of ids) expect((await life.get(id)).state).toBe(PaymentState.COMPLETED);
    });
    for (const id of ids) await life.expectAmountsToAgree(id);
  });
});
