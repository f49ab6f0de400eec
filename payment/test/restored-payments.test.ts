import { newId, unpackParcel } from '@payflowx/chassis';
import { inTransaction, openDatabase } from '@payflowx/chassis/postgres';
import { testLog } from '@payflowx/chassis/testing';
import { CaptureMode } from '@payflowx/proto/authorization';
import { PaymentState } from '@payflowx/proto/payment';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { restorePayments } from '../src/app/restore-payments.ts';
import { decodePastEvent, type PastEvent } from '../src/messages/past-event.ts';
import type { Database } from '../src/store/database.ts';
import { findKeys, restoreKeys, storeAnswers } from '../src/store/idempotency-keys.ts';
import { openMandate } from './collections.ts';
import { lifecycleOf } from './lifecycle.ts';
import { FUNDS, type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
/** Restores run as the owner of the database. */
let owner: Kysely<Database>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
  owner = openDatabase<Database>({ url: platform.adminUrl, poolMax: 2 }, testLog);
});
afterAll(async () => {
  await owner?.destroy();
  await platform?.stop();
});

const HOUR_MS = 3_600_000;

/** Returns the events of the topic, as the platform's default hold time decodes them. */
async function topic(): Promise<PastEvent[]> {
  const { rows } = await sql<{ events: Buffer }>`
    select events from outbox where destination = 'payment-events' order by id`.execute(platform.db);
  const messages = rows.flatMap(({ events }) => unpackParcel({ bytes: events }));
  return messages.map((message) => decodePastEvent(message, 60_000));
}

const STORED = ['payments', 'operations', 'idempotency_keys'] as const;

/** All rows, without the columns that recovery counts. */
async function contents() {
  const all: Record<string, unknown[]> = {};
  for (const table of STORED) {
    const { rows } = await sql<{ row: Record<string, unknown> }>`
      select to_jsonb(t) - 'attempts' - 'next_attempt_at' - 'next_expiry_at' as row from ${sql.table(table)} as t
      order by 1`.execute(owner);
    all[table] = rows.map(({ row }) => row);
  }
  return all;
}

async function lose(): Promise<void> {
  for (const table of STORED) await sql`delete from ${sql.table(table)}`.execute(owner);
}

const restore = (events: PastEvent[], isReal = true) =>
  inTransaction(owner, (trx) => restorePayments({ trx, isReal, restored: new Set() }, events));

it('payments, operations and keys come back as they were, and keys replay the first responses', async () => {
  const { customer, otherCustomer } = platform;
  const call = await life.callAs(customer);
  const request = await platform.newRequest({ captureMode: CaptureMode.MANUAL, metadata: { b: 'ü', a: '' } });
  const first = await platform.client.createPayment(request, call);
  const id = first.payment?.id ?? '';
  const noNotes = { reference: '', metadata: {} };
  const capture = { requestId: newId('req'), paymentId: id, amountMinor: 500n, ...noNotes };
  const captured = await platform.client.capturePayment(capture, call);
  await platform.client.capturePayment({ requestId: newId('req'), paymentId: id, ...noNotes }, call);
  const notes = { reference: 'return-17', metadata: { zz: '1', b: '2', 10: '3' } };
  const refund = { requestId: newId('req'), paymentId: id, reason: 'broken', ...notes };
  const refundCall = await life.callAs(otherCustomer);
  const refunded = await platform.client.createRefund(refund, refundCall);
  await life.cancel((await life.hold({ holdSeconds: 120 })).id);
  const { collect } = await openMandate(platform);
  const collection = { requestId: newId('req'), reference: 'invoice 7' };
  const collected = await collect(collection);
  await collect({ amountMinor: 2n * FUNDS });

  const before = await contents();
  const events = await topic();
  await lose();
  const counted = await restore(events, false);
  expect(counted).toMatchObject({ payments: { length: 4 }, operations: { length: 4 }, incomplete: [] });
  expect(await contents()).toEqual({ payments: [], operations: [], idempotency_keys: [] });

  for (const some of [events.slice(0, 4), events.slice(4), events]) await restore(some);
  await platform.recover(HOUR_MS);
  for (let attempt = 0; attempt < 8; attempt += 1) await platform.recoverOperations(HOUR_MS);
  expect(await contents()).toEqual(before);

  expect(await platform.client.createPayment(request, call)).toEqual({ ...first, replayed: true });
  expect(await collect(collection)).toEqual({ ...collected, replayed: true });
  expect(await platform.client.capturePayment(capture, call)).toEqual({ ...captured, replayed: true });
  expect(await platform.client.createRefund(refund, refundCall)).toEqual({ ...refunded, replayed: true });
  const nothing = { postedMinor: 0n, heldMinor: 0n };
  const moved = await platform.authorization.movedIn(request.fromAccount, request.toAccount);
  expect(moved).toEqual([nothing, nothing]);
});

it('a payment that was still undecided when its event was published is decided after the restore', async () => {
  await sql`delete from outbox`.execute(owner);
  const request = await platform.newRequest();
  const open = platform.authorization.holdAnswers();
  const call = await life.callAs(platform.customer, 2_000);
  const { payment } = await (await platform.startImpatientServer()).client.createPayment(request, call);
  expect(payment?.state).toBe(PaymentState.INITIATED);
  const events = await topic();
  await lose();
  await restore(events);
  open();
  await platform.recover(HOUR_MS);
  expect((await life.get(payment?.id ?? '')).state).toBe(PaymentState.COMPLETED);
});

it('of two requests with one key, the later one has it, in whatever order they are restored', async () => {
  const keyed = (paymentId: string, createdAt: Date) => ({
    ...{ callerId: platform.customer.id, requestId: 'one-key', operation: 'CapturePayment' as const },
    ...{ fingerprint: Buffer.alloc(32, paymentId), paymentId, operationId: `${paymentId}-step`, createdAt },
  });
  const [earlier, later] = [
    keyed('pay_1', new Date('2026-01-01T00:00:00Z')),
    keyed('pay_2', new Date('2026-01-02T00:00:00Z')),
  ];
  const found = async () => {
    const [key] = await findKeys(owner, [earlier]);
    return [key?.paymentId, key?.operationId, key?.fingerprint];
  };
  for (const order of [
    [earlier, later],
    [later, earlier],
  ]) {
    await sql`delete from idempotency_keys`.execute(owner);
    for (const one of order) await inTransaction(owner, (trx) => restoreKeys(trx, [one]));
    expect(await found()).toEqual(['pay_2', 'pay_2-step', later.fingerprint]);
  }
  // A response that was stored since stays, also if the request is restored again.
  const answer = { callerId: later.callerId, requestId: later.requestId, answer: Buffer.from('done') };
  await inTransaction(owner, (trx) => storeAnswers(trx, [answer]));
  await inTransaction(owner, (trx) => restoreKeys(trx, [later, earlier]));
  expect((await findKeys(owner, [later]))[0]?.answer?.toString()).toBe('done');
});

it('events of an earlier version name the payments that cannot be restored', async () => {
  const owners = { from: undefined, to: undefined };
  const events = [{ paymentId: newId('pay'), version: 1n, owners, isIncomplete: true }];
  const restored = await restore(events);
  expect(restored).toEqual({ payments: [], operations: [], incomplete: [events[0]?.paymentId] });
});
