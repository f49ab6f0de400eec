import { randomUUID } from 'node:crypto';
import { newId, type OutgoingEvent, packParcel } from '@payflowx/chassis';
import { inTransaction, limitLockWait, openDatabase } from '@payflowx/chassis/postgres';
import {
  connectRabbitPublisher,
  consumeQueue,
  type QueueConsumer,
  type RabbitPublisher,
} from '@payflowx/chassis/rabbit';
import {
  createTestDatabase,
  eventually,
  type TestDatabase,
  testLog,
  testServers,
  whileConnectionsBreak,
} from '@payflowx/chassis/testing';
import { MovementKind } from '@payflowx/proto/authorization';
import { Payment, PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordSteps } from '../src/app/record-steps.ts';
import { decodeStep } from '../src/consumers/payment-notifications.ts';
import type { PaymentStep } from '../src/domain/notice.ts';
import type { Database } from '../src/store/database.ts';

const queue = { ...testServers.rabbit(), queue: `test-notifications-${randomUUID()}`, prefetch: 100 };
let database: TestDatabase;
let db: Kysely<Database>;
let publisher: RabbitPublisher;
let consumer: QueueConsumer;

beforeAll(async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'notification', migrations });
  db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
  publisher = await connectRabbitPublisher(queue, testLog);
  const apply = (steps: PaymentStep[]) => recordSteps({ db, wake: () => {} }, steps);
  consumer = await consumeQueue(queue, { decode: decodeStep, apply }, testLog);
});
afterAll(async () => {
  await consumer.stop();
  await publisher.close();
  await db.destroy();
  await database.drop();
});

/** A completed payment of 1 EUR as the payment service publishes it. */
function completed(paymentId: string): OutgoingEvent {
  const id = newId('evt');
  const payment = {
    ...Payment.decode(new Uint8Array()),
    id: paymentId,
    fromAccount: 'acct_a',
    toAccount: 'acct_b',
  };
  const event = {
    ...PaymentEvent.decode(new Uint8Array()),
    id,
    type: PaymentEventType.COMPLETED,
    occurredAt: new Date(),
    payment: { ...payment, amountMinor: 100n, capturedMinor: 100n, currency: 'EUR' },
    movements: [
      { kind: MovementKind.TRANSFER, fromAccount: 'acct_a', toAccount: 'acct_b', amountMinor: 100n },
    ],
    fromOwnerId: 'usr_a',
    toOwnerId: 'usr_b',
  };
  return { ...ENVELOPE, id, key: paymentId, payload: PaymentEvent.encode(event).finish() };
}

const ENVELOPE = { type: 'payment.completed', source: '/payflowx/payment', time: new Date() };

it('notifies both sides once of each payment, whatever else is in the queue', async () => {
  const payments = Array.from({ length: 50 }, () => newId('pay'));
  const events = payments.map(completed);
  const garbage = { ...ENVELOPE, id: newId('evt'), key: 'x', payload: Buffer.from('{}') };
  // Every event twice: alone, and in a parcel that also contains a message that is no event.
  await publisher.publish([...events.map((event) => packParcel([event])), packParcel([garbage, ...events])]);
  await eventually(async () => {
    const rows = await db.selectFrom('notifications').select(['payment_id', 'side']).execute();
    expect(rows.map(({ payment_id, side }) => `${payment_id} ${side}`).sort()).toEqual(
      payments.flatMap((id) => [`${id} receiver`, `${id} sender`]).sort(),
    );
  });
});

it('notifies once of each payment while all database connections break again and again', async () => {
  const payments = Array.from({ length: 100 }, () => newId('pay'));
  const work = async () => {
    for (const id of payments) await publisher.publish([packParcel([completed(id)])]);
    await eventually(async () => {
      const rows = await db
        .selectFrom('notifications')
        .select('payment_id')
        .where('payment_id', 'in', payments)
        .execute();
      expect(rows).toHaveLength(2 * payments.length);
    });
  };
  // A new connection prepares a large statement first. On a busy machine that takes longer than the usual time between cuts.
  await whileConnectionsBreak(database.adminUrl, work, { cutEveryMs: 150 });
  const events = await db
    .selectFrom('events')
    .select('payment_id')
    .where('payment_id', 'in', payments)
    .execute();
  expect(events).toHaveLength(payments.length);
});

it('stores events one after the other, so that two consumers cannot deadlock', async () => {
  const [first = '', second = ''] = [newId('evt'), newId('evt')].toSorted();
  const stepOf = (eventId: string): PaymentStep => ({
    eventId,
    type: 'payment.completed',
    occurredAt: new Date(),
    paymentId: newId('pay'),
    version: 2n,
    amountMinor: 100n,
    movedMinor: 100n,
    capturedMinor: 100n,
    freedMinor: 0n,
    currency: 'EUR',
    failure: { code: '', message: '' },
    isCollected: false,
    description: '',
    reference: '',
    sender: { accountId: 'acct_a', ownerId: 'usr_a' },
    receiver: { accountId: 'acct_b', ownerId: 'usr_b' },
    content: Buffer.alloc(0),
  });
  let other: Promise<void> | undefined;
  await inTransaction(db, async (trx) => {
    await limitLockWait(trx, 1);
    await recordSteps({ db: trx, wake: () => {} }, [stepOf(first)]);
    other = recordSteps({ db, wake: () => {} }, [stepOf(second), stepOf(first)]);
    await eventually(async () => {
      const { rows } = await sql`
      select from pg_locks join pg_stat_activity using (pid)
      where not granted and datname = current_database()`.execute(db);
      expect(rows).not.toEqual([]);
    });
    // The other one waits, and has stored nothing.
    await recordSteps({ db: trx, wake: () => {} }, [stepOf(second)]);
  });
  await other;
});
