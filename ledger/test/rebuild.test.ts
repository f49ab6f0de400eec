import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createTestTopics, testServers } from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { createLedgerDatabase } from './fixture.ts';
import { outgoing, paymentEvent, transfer } from './neighbours.ts';

it('the rebuild command exits with 1 if it passed over an event, and with 0 otherwise', async () => {
  const [topics, ledger] = await Promise.all([createTestTopics('ledger-rebuild'), createLedgerDatabase()]);
  const rebuild = async () => {
    const env = {
      ...process.env,
      POSTGRES_URL: ledger.url,
      POSTGRES_MIGRATE_URL: ledger.migrateUrl,
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
  await topics.publish([outgoing(paymentEvent([transfer('external:EUR', 'acct_a', 1n)]))]);
  expect(await rebuild()).toBe('0: 1 events applied, 0 passed over');
  await topics.publish([outgoing(paymentEvent([transfer('acct_a', 'acct_b', 0n)]))]);
  expect(await rebuild()).toBe('1: 1 events applied, 1 passed over');
  await Promise.all([ledger.drop(), topics.drop()]);
});
