import { cloudEventMessage, newId } from '@payflowx/chassis';
import {
  connectKafkaProducer,
  type KafkaConsumer,
  type KafkaProducer,
  replayTopic,
  startKafkaConsumer,
} from '@payflowx/chassis/kafka';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  createTestTopics,
  eventually,
  readTestTopic,
  type TestTopics,
  testLog,
  testServers,
} from '@payflowx/chassis/testing';
import { type PaymentEvent, PaymentKind } from '@payflowx/proto/payment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestTotals } from '../src/app/digest-totals.ts';
import { paymentEvents } from '../src/consumers/payment-events.ts';
import { sumDays } from '../src/store/daily-totals.ts';
import type { Database } from '../src/store/database.ts';
import { emptyTables } from '../src/store/empty-tables.ts';
import { type AnalyticsDatabase, createAnalyticsDatabase } from './fixture.ts';
import { encode, paymentEvent, transfer } from './neighbours.ts';

let topics: TestTopics;
let analytics: AnalyticsDatabase;
let producer: KafkaProducer;
const client = { brokers: testServers.kafkaBrokers(), clientId: 'analytics-test' };
const group = newId('req');

beforeAll(async () => {
  [topics, analytics, producer] = await Promise.all([
    createTestTopics('analytics'),
    createAnalyticsDatabase(),
    connectKafkaProducer(client, testLog),
  ]);
});

afterAll(async () => {
  await Promise.all([producer.close(), analytics.drop(), topics.drop()]);
});

const publish = (events: PaymentEvent[]) =>
  producer.publish(
    topics.topic,
    events.map((event, index) =>
      cloudEventMessage({
        id: event.id,
        type: 'payment.completed',
        source: '/payflowx/payment',
        time: event.occurredAt ?? new Date(),
        key: `pay_${index}`,
        payload: encode(event),
      }),
    ),
  );

const consume = (groupId: string): Promise<KafkaConsumer> =>
  startKafkaConsumer({ ...client, ...topics, groupId }, paymentEvents(analytics), testLog);

const level = (consumer: KafkaConsumer) =>
  eventually(async () => expect(await consumer.lag()).toBe(0n), { withinMs: 20_000, everyMs: 200 });

const completed = (amount: bigint) =>
  paymentEvent('COMPLETED', {
    movements: [transfer('acct_ann', 'acct_bob', amount)],
    payment: { capturedMinor: amount },
  });

const events = Array.from({ length: 100 }, (_, index) => [
  paymentEvent('INITIATED'),
  completed(BigInt(index + 1)),
]).flat();
const deposit = paymentEvent('COMPLETED', {
  payment: { kind: PaymentKind.DEPOSIT, fromAccount: 'external:EUR' },
  movements: [transfer('external:EUR', 'acct_ann', 1_000_000n)],
});

describe('the consumer', () => {
  it('counts each payment once, however often it is delivered, and no deposits', async () => {
    await publish([deposit, ...events]);
    await publish(events.slice(0, 60));
    const consumer = await consume(group);
    await level(consumer);
    await consumer.stop();
    expect(await sumDays(analytics.db, '')).toMatchObject([
      { currency: 'EUR', initiatedCount: 100n, completedCount: 100n, capturedMinor: 5050n },
    ]);
  });

  it('puts what it cannot count among the dead letters, with the reason, and goes on', async () => {
    const timeless = { ...completed(1n), occurredAt: undefined };
    await publish([timeless, completed(50n)]);
    const consumer = await consume(group);
    await level(consumer);
    await consumer.stop();
    expect(await sumDays(analytics.db, 'EUR')).toMatchObject([
      { completedCount: 101n, capturedMinor: 5100n },
    ]);
    const [letter] = await readTestTopic(topics.deadLetterTopic, 1);
    expect(letter?.headers).toMatchObject({ ce_id: timeless.id });
    expect(letter?.headers['dead-letter-error']).toMatch(/has no time/);
  });

  it('changes nothing when its group reads the topic from the beginning', async () => {
    const digest = await digestTotals(analytics.db);
    const consumer = await consume(newId('req'));
    await level(consumer);
    await consumer.stop();
    expect(await digestTotals(analytics.db)).toBe(digest);
  });

  it('counts the same anew from nothing, while the service goes on counting', async () => {
    const consumer = await consume(group);
    const owner = openDatabase<Database>({ url: analytics.migrateUrl, poolMax: 2 }, testLog);
    const before = await digestTotals(analytics.db);

    const late = Array.from({ length: 50 }, () => completed(1n));
    await emptyTables(owner);
    expect(await digestTotals(analytics.db)).not.toBe(before);
    const replay = replayTopic({ ...client, topic: topics.topic }, paymentEvents({ db: owner }), testLog);
    const [{ passedOverCount }] = await Promise.all([replay, publish(late)]);
    await level(consumer);
    expect(passedOverCount).toBe(1);
    expect(await sumDays(analytics.db, 'EUR')).toMatchObject([
      { completedCount: 151n, capturedMinor: 5150n },
    ]);
    const live = await digestTotals(analytics.db);

    await consumer.stop();
    await emptyTables(owner);
    await replayTopic({ ...client, topic: topics.topic }, paymentEvents({ db: owner }), testLog);
    expect(await digestTotals(analytics.db)).toBe(live);
    await owner.destroy();
  });
});
