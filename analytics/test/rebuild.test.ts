import { createTestTopics, runRebuild } from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { createAnalyticsDatabase } from './fixture.ts';
import { outgoing, paymentEvent } from './neighbours.ts';

it('the rebuild command exits with 1 if it passed over an event, and with 0 otherwise', async () => {
  const [topics, analytics] = await Promise.all([
    createTestTopics('analytics-rebuild'),
    createAnalyticsDatabase(),
  ]);
  const command = new URL('../src/rebuild.ts', import.meta.url);
  const rebuild = () => runRebuild(command, { database: analytics, topic: topics.topic });
  await topics.publish([outgoing(paymentEvent('INITIATED'))]);
  expect(await rebuild()).toBe('0: 1 events applied, 0 passed over');
  await topics.publish([outgoing(paymentEvent('INITIATED', { id: 'no id' }))]);
  expect(await rebuild()).toBe('1: 1 events applied, 1 passed over');
  await Promise.all([analytics.drop(), topics.drop()]);
});
