import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createTestTopics, testServers } from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { createAnalyticsDatabase } from './fixture.ts';
import { outgoing, paymentEvent } from './neighbours.ts';

it('the rebuild command exits with 1 if it passed over an event, and with 0 otherwise', async () => {
  const [topics, analytics] = await Promise.all([
    createTestTopics('analytics-rebuild'),
    createAnalyticsDatabase(),
  ]);
  const rebuild = async () => {
    const env = {
      ...process.env,
      POSTGRES_URL: analytics.url,
      POSTGRES_MIGRATE_URL: analytics.migrateUrl,
      KAFKA_BROKERS: testServers.kafkaBrokers().join(','),
      PAYMENT_EVENTS_TOPIC: topics.topic,
      LOG_LEVEL: 'fatal',
    };
    const command = fileURLToPath(new URL('../src/rebuild.ts', import.meta.url));
    const child = spawn(process.execPath, [command], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    const output: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text) => output.push(text));
    const [code] = await once(child, 'close');
    return `${code}: ${output.join('').trim()}`;
  };
  await topics.publish([outgoing(paymentEvent('INITIATED'))]);
  expect(await rebuild()).toBe('0: 1 events applied, 0 passed over');
  await topics.publish([outgoing(paymentEvent('INITIATED', { id: 'no id' }))]);
  expect(await rebuild()).toBe('1: 1 events applied, 1 passed over');
  await Promise.all([analytics.drop(), topics.drop()]);
});
