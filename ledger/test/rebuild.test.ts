import { createTestTopics, runRebuild } from '@payflowx/chassis/testing';
import { expect, it } from 'vitest';
import { createLedgerDatabase } from './fixture.ts';
import { outgoing, paymentEvent, transfer } from './neighbours.ts';

it('the rebuild command exits with 1 if it passed over an event, and with 0 otherwise', async () => {
  const [topics, ledger] = await Promise.all([createTestTopics('ledger-rebuild'), createLedgerDatabase()]);
  const command = new URL('../src/rebuild.ts', import.meta.url);
  const rebuild = () => runRebuild(command, { database: ledger, topic: topics.topic });
  await topics.publish([outgoing(paymentEvent([transfer('external:EUR', 'acct_a', 1n)]))]);
  expect(await rebuild()).toBe('0: 1 events applied, 0 passed over');
  await topics.publish([outgoing(paymentEvent([transfer('acct_a', 'acct_b', 0n)]))]);
  expect(await rebuild()).toBe('1: 1 events applied, 1 passed over');
  await Promise.all([ledger.drop(), topics.drop()]);
});
