import { newId } from '@payflowx/chassis';
import { type KafkaConsumer, replayTopic, startKafkaConsumer } from '@payflowx/chassis/kafka';
import {
  catchUp,
  createTestTopics,
  eventually,
  readTestTopic,
  type TestTopics,
  testLog,
  testServers,
} from '@payflowx/chassis/testing';
import { type PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestLedger } from '../src/app/digest-ledger.ts';
import { paymentEvents } from '../src/consumers/payment-events.ts';
import { findBalance } from '../src/store/balances.ts';
import { countJournal } from '../src/store/proof.ts';
import { atOneMoment } from '../src/store/snapshot.ts';
import { createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { hold, outgoing, paymentEvent, release, transfer } from './neighbours.ts';

let topics: TestTopics;
let ledger: LedgerDatabase;
const client = { ...testServers.kafka(), clientId: 'test-ledger' };

beforeAll(async () => {
  [topics, ledger] = await Promise.all([createTestTopics('ledger'), createLedgerDatabase()]);
});

afterAll(async () => {
  await Promise.all([ledger.drop(), topics.drop()]);
});

const consume = (groupId: string, into = ledger): Promise<KafkaConsumer> =>
  startKafkaConsumer({ ...client, ...topics, groupId: `test-${groupId}` }, paymentEvents(into), testLog);

const countTransactions = async ({ db }: LedgerDatabase) =>
  (await atOneMoment(db, countJournal)).transactionCount;

/** With the key that payment gives its events: those of one payment stay in order. */
const byPayment = (event: PaymentEvent) => ({ ...outgoing(event), key: event.payment?.id ?? '' });

function someEvents(count: number): PaymentEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const amount = BigInt(index + 1);
    if (index % 3 === 0) return paymentEvent([], { type: PaymentEventType.INITIATED });
    if (index % 3 === 1) return paymentEvent([transfer('external:EUR', `acct_${index % 7}`, amount)]);
    return paymentEvent([
      hold('acct_a', 'acct_b', amount),
      release('acct_a', 'acct_b', amount),
      transfer('acct_a', 'acct_b', amount),
    ]);
  });
}

describe('the consumer', () => {
  const group = newId('req');
  const events = someEvents(300);

  it('posts each event once, for any number of deliveries', async () => {
    await topics.publish(events.map(outgoing));
    await topics.publish(events.slice(0, 100).map(outgoing));
    const consumer = await consume(group);
    await catchUp(consumer);
    await consumer.stop();
    expect(await countTransactions(ledger)).toBe(200n);
  });

  it('sends events that it cannot post to the dead-letter topic, with the reason, and continues', async () => {
    const good = paymentEvent([transfer('acct_a', 'acct_b', 1n)]);
    const altered = { ...good, movements: [transfer('acct_a', 'acct_b', 2n)] };
    const nothing = paymentEvent([transfer('acct_a', 'acct_b', 0n)]);
    const after = paymentEvent([transfer('acct_a', 'acct_b', 3n)]);
    await topics.publish([good, nothing, altered, after].map(outgoing));

    const consumer = await consume(group);
    await catchUp(consumer);
    await consumer.stop();
    expect(await countTransactions(ledger)).toBe(202n);

    const letters = await readTestTopic(topics.deadLetterTopic, 2);
    const reasons = new Map(letters.map(({ headers }) => [headers.ce_id, headers['dead-letter-error']]));
    expect(reasons.get(nothing.id)).toMatch(/the amount 0 is out of range/);
    expect(reasons.get(good.id)).toMatch(/in the journal with another content/);
  });

  it('changes nothing when its group reads the topic from the beginning', async () => {
    const digest = await digestLedger(ledger.db);
    const consumer = await consume(newId('req'));
    await catchUp(consumer);
    await consumer.stop();
    expect(await digestLedger(ledger.db)).toBe(digest);
  });

  it('makes the same ledger in an empty database', async () => {
    const empty = await createLedgerDatabase();
    const settings = { ...client, topic: topics.topic };
    const { passedOverCount } = await replayTopic(settings, paymentEvents(empty), testLog);
    expect(passedOverCount).toBe(2);
    expect(await digestLedger(empty.db)).toBe(await digestLedger(ledger.db));
    await empty.drop();
  });

  it('shares the partitions with a second instance', async () => {
    const both = await Promise.all([consume(group), consume(group)]);
    await topics.publish(someEvents(120).map(outgoing));
    await eventually(async () => expect(await countTransactions(ledger)).toBe(282n));
    await Promise.all(both.map((consumer) => consumer.stop()));
  });

  it('continues with other payments and partitions while a balance is locked, then posts the locked payment in order', async () => {
    const posted = async (account: string) => (await findBalance(ledger.db, account))?.postedMinor;
    const consumer = await consume(group);
    await topics.publish([paymentEvent([transfer('acct_locked', 'acct_r1', 1n)])].map(byPayment));
    await eventually(async () => expect(await posted('acct_r1')).toBe(1n));

    const isOver = Promise.withResolvers<void>();
    const isLocked = Promise.withResolvers<void>();
    const outsider = ledger.db.transaction().execute(async (trx) => {
      await sql`select from balances where account_id = 'acct_locked' for update`.execute(trx);
      isLocked.resolve();
      await isOver.promise;
    });
    await isLocked.promise;
    const first = paymentEvent([transfer('acct_locked', 'acct_r1', 2n)]);
    const next = paymentEvent([transfer('acct_r1', 'acct_r2', 3n)], { payment: first.payment });
    // Twelve payments are in several partitions. One of these partitions may be the paused one.
    const twelve = (account: string) =>
      Array.from({ length: 12 }, () => paymentEvent([transfer('acct_s', account, 1n)]));
    for (const others of ['acct_r3', 'acct_r4']) {
      const events = others === 'acct_r3' ? [first, next, ...twelve(others)] : twelve(others);
      await topics.publish(events.map(byPayment));
      await eventually(async () => expect(await posted(others)).toBeGreaterThan(0n));
    }
    expect(await posted('acct_r2')).toBeUndefined();

    isOver.resolve();
    await outsider;
    await catchUp(consumer);
    await consumer.stop();
    expect(await posted('acct_r1')).toBe(0n);
    expect(await posted('acct_r2')).toBe(3n);
    expect(await posted('acct_s')).toBe(-24n);
  });
});
