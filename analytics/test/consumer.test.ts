import { newId } from '@payflowx/chassis';
import { type KafkaConsumer, replayTopic, startKafkaConsumer } from '@payflowx/chassis/kafka';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  catchUp,
  createTestTopics,
  readTestTopic,
  type TestTopics,
  testLog,
  testServers,
} from '@payflowx/chassis/testing';
import { PaymentKind } from '@payflowx/proto/payment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestTotals } from '../src/app/digest-totals.ts';
import { paymentEvents } from '../src/consumers/payment-events.ts';
import { sumDays } from '../src/store/daily-totals.ts';
import type { Database } from '../src/store/database.ts';
import { emptyTables } from '../src/store/empty-tables.ts';
import { type AnalyticsDatabase, createAnalyticsDatabase } from './fixture.ts';
import { outgoing, paymentEvent, transfer } from './neighbours.ts';

let topics: TestTopics;
let analytics: AnalyticsDatabase;
const client = { ...testServers.kafka(), clientId: 'test-analytics' };
const group = newId('req');

beforeAll(async () => {
  [topics, analytics] = await Promise.all([createTestTopics('analytics'), createAnalyticsDatabase()]);
});

afterAll(async () => {
  await Promise.all([analytics.drop(), topics.drop()]);
});

const consume = (groupId: string): Promise<KafkaConsumer> =>
  startKafkaConsumer({ ...client, ...topics, groupId: `test-${groupId}` }, paymentEvents(analytics), testLog);

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
  it('counts each payment once, for any number of deliveries, and no deposits', async () => {
    await topics.publish([deposit, ...events].map(outgoing));
    await topics.publish(events.slice(0, 60).map(outgoing));
    const consumer = await consume(group);
    await catchUp(consumer);
    await consumer.stop();
    expect(await sumDays(analytics.db, '')).toMatchObject([
      { currency: 'EUR', initiatedCount: 100n, completedCount: 100n, capturedMinor: 5050n },
    ]);
  });

  it('sends events that it cannot count to the dead-letter topic, with the reason, and continues', async () => {
    const timeless = { ...completed(1n), occurredAt: undefined };
    await topics.publish([timeless, completed(50n)].map(outgoing));
    const consumer = await consume(group);
    await catchUp(consumer);
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
    await catchUp(consumer);
    await consumer.stop();
    expect(await digestTotals(analytics.db)).toBe(digest);
  });

  it('rebuilds the same totals from empty tables, while the service continues counting', async () => {
    const consumer = await consume(group);
    const owner = openDatabase<Database>({ url: analytics.migrateUrl, poolMax: 2 }, testLog);
    const before = await digestTotals(analytics.db);

    const late = Array.from({ length: 50 }, () => completed(1n));
    await emptyTables(owner);
    expect(await digestTotals(analytics.db)).not.toBe(before);
    const replay = replayTopic(
      { ...client, topic: topics.topic },
      paymentEvents({ db: owner, log: testLog }),
      testLog,
    );
    const [{ passedOverCount }] = await Promise.all([replay, topics.publish(late.map(outgoing))]);
    await catchUp(consumer);
    expect(passedOverCount).toBe(1);
    expect(await sumDays(analytics.db, 'EUR')).toMatchObject([
      { completedCount: 151n, capturedMinor: 5150n },
    ]);
    const live = await digestTotals(analytics.db);

    await consumer.stop();
    await emptyTables(owner);
    await replayTopic(
      { ...client, topic: topics.topic },
      paymentEvents({ db: owner, log: testLog }),
      testLog,
    );
    expect(await digestTotals(analytics.db)).toBe(live);
    await owner.destroy();
  });
});
