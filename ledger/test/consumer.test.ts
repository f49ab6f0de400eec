import { cloudEventMessage, newId } from '@payflowx/chassis';
import {
  connectKafkaProducer,
  type KafkaConsumer,
  type KafkaProducer,
  replayTopic,
  startKafkaConsumer,
} from '@payflowx/chassis/kafka';
import {
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
import { countJournal, inSnapshot } from '../src/store/proof.ts';
import { createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { encode, hold, paymentEvent, release, transfer } from './neighbours.ts';

let topics: TestTopics;
let ledger: LedgerDatabase;
let producer: KafkaProducer;
const client = { brokers: testServers.kafkaBrokers(), clientId: 'ledger-test' };

beforeAll(async () => {
  [topics, ledger, producer] = await Promise.all([
    createTestTopics('ledger'),
    createLedgerDatabase(),
    connectKafkaProducer(client, testLog),
  ]);
});

afterAll(async () => {
  await Promise.all([producer.close(), ledger.drop(), topics.drop()]);
});

const publish = (events: PaymentEvent[]) =>
  producer.publish(
    topics.topic,
    events.map((event) =>
      cloudEventMessage({
        id: event.id,
        type: 'payment.completed',
        source: '/payflowx/payment',
        time: event.occurredAt ?? new Date(),
        key: event.payment?.id ?? '',
        payload: encode(event),
      }),
    ),
  );

const consume = (groupId: string, into = ledger): Promise<KafkaConsumer> =>
  startKafkaConsumer({ ...client, ...topics, groupId }, paymentEvents(into), testLog);

const countTransactions = async ({ db }: LedgerDatabase) =>
  (await inSnapshot(db, countJournal)).transactionCount;

const level = (consumer: KafkaConsumer) =>
  eventually(async () => expect(await consumer.lag()).toBe(0n), { withinMs: 20_000, everyMs: 200 });

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

  it('posts what is delivered, however often', async () => {
    await publish(events);
    await publish(events.slice(0, 100));
    const consumer = await consume(group);
    await level(consumer);
    await consumer.stop();
    expect(await countTransactions(ledger)).toBe(200n);
  });

  it('puts what it cannot post among the dead letters, with the reason, and goes on', async () => {
    const good = paymentEvent([transfer('acct_a', 'acct_b', 1n)]);
    const altered = { ...good, movements: [transfer('acct_a', 'acct_b', 2n)] };
    const nothing = paymentEvent([transfer('acct_a', 'acct_b', 0n)]);
    const after = paymentEvent([transfer('acct_a', 'acct_b', 3n)]);
    await publish([good, nothing, altered, after]);

    const consumer = await consume(group);
    await level(consumer);
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
    await level(consumer);
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
    await publish(someEvents(120));
    await eventually(async () => expect(await countTransactions(ledger)).toBe(282n), { withinMs: 20_000 });
    await Promise.all(both.map((consumer) => consumer.stop()));
  });

  it('goes on with other payments and partitions while a balance is locked, and in order with its payment afterwards', async () => {
    const posted = async (account: string) => (await findBalance(ledger.db, account))?.postedMinor;
    const consumer = await consume(group);
    await publish([paymentEvent([transfer('acct_locked', 'acct_r1', 1n)])]);
    await eventually(async () => expect(await posted('acct_r1')).toBe(1n), { withinMs: 20_000 });

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
    // Twelve payments are in several partitions. One of them may be the paused one.
    const twelve = (account: string) =>
      Array.from({ length: 12 }, () => paymentEvent([transfer('acct_s', account, 1n)]));
    for (const others of ['acct_r3', 'acct_r4']) {
      await publish(others === 'acct_r3' ? [first, next, ...twelve(others)] : twelve(others));
      await eventually(async () => expect(await posted(others)).toBeGreaterThan(0n), { withinMs: 20_000 });
    }
    expect(await posted('acct_r2')).toBeUndefined();

    isOver.resolve();
    await outsider;
    await level(consumer);
    await consumer.stop();
    expect(await posted('acct_r1')).toBe(0n);
    expect(await posted('acct_r2')).toBe(3n);
    expect(await posted('acct_s')).toBe(-24n);
  });
});
