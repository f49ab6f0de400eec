/** All database connections break again and again while events are counted. */
import { newId } from '@payflowx/chassis';
import { startKafkaConsumer } from '@payflowx/chassis/kafka';
import {
  catchUp,
  createTestTopics,
  testLog,
  testServers,
  whileConnectionsBreak,
} from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { paymentEvents } from '../src/consumers/payment-events.ts';
import { sumDays } from '../src/store/daily-totals.ts';
import { createAnalyticsDatabase } from './fixture.ts';
import { outgoing, paymentEvent, transfer } from './neighbours.ts';

it('every event is counted once, and the service lives on', async () => {
  const [topics, analytics] = await Promise.all([
    createTestTopics('analytics-cut'),
    createAnalyticsDatabase(),
  ]);
  const { topic, deadLetterTopic } = topics;
  const events = Array.from({ length: 200 }, () =>
    paymentEvent('COMPLETED', {
      movements: [transfer('acct_ann', 'acct_bob', 5n)],
      payment: { capturedMinor: 5n },
    }),
  );
  const settings = { ...testServers.kafka(), clientId: 'test-analytics', groupId: `test-${newId('req')}` };
  const consumer = await startKafkaConsumer(
    { ...settings, topic, deadLetterTopic, maxBatch: 10 },
    paymentEvents(analytics),
    testLog,
  );
  await whileConnectionsBreak(analytics.adminUrl, async () => {
    await topics.publish(events.map(outgoing));
    await catchUp(consumer);
  });
  await consumer.stop();
  expect(await sumDays(analytics.db, '')).toMatchObject([{ completedCount: 200n, capturedMinor: 1_000n }]);
  await Promise.all([analytics.drop(), topics.drop()]);
});
