import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cloudEventMessage } from '@payflowx/chassis';
import { connectKafkaProducer, type KafkaProducer } from '@payflowx/chassis/kafka';
import { createTestTopics, type TestTopics, testLog, testServers } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listBalancesAfter } from '../src/store/balances.ts';
import { countJournal, inSnapshot } from '../src/store/proof.ts';
import { createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { encode, paymentEvent, transfer } from './neighbours.ts';

let topics: TestTopics;
let ledger: LedgerDatabase;
let producer: KafkaProducer;
let faultsDir: string;

beforeAll(async () => {
  [topics, ledger, producer, faultsDir] = await Promise.all([
    createTestTopics('ledger-crash'),
    createLedgerDatabase(),
    connectKafkaProducer({ brokers: testServers.kafkaBrokers(), clientId: 'crash' }, testLog),
    mkdtemp(join(tmpdir(), 'faults-')),
  ]);
  const events = Array.from({ length: 50 }, () => paymentEvent([transfer('acct_a', 'acct_b', 1n)]));
  const messages = events.map((event) =>
    cloudEventMessage({
      id: event.id,
      type: 'payment.completed',
      source: '/payflowx/payment',
      time: new Date(),
      key: event.id,
      payload: encode(event),
    }),
  );
  await producer.publish(topics.topic, messages);
});

afterAll(async () => {
  await Promise.all([producer.close(), ledger.drop(), topics.drop(), rm(faultsDir, { recursive: true })]);
});

/** Resolves with the signal that ended the process, or null for a clean end. */
async function replay(): Promise<NodeJS.Signals | null> {
  const script = fileURLToPath(new URL('./replaying-process.ts', import.meta.url));
  const child = spawn(process.execPath, [script, topics.topic, ledger.url, faultsDir], { stdio: 'inherit' });
  const [, signal] = await once(child, 'exit');
  return signal;
}

it('has posted everything once after being killed before and after its commits', async () => {
  for (const fault of ['ledger.before-commit', 'ledger.after-commit', 'ledger.before-commit']) {
    await writeFile(join(faultsDir, fault), '');
    expect(await replay()).toBe('SIGKILL');
    expect(await readdir(faultsDir)).toEqual([]);
  }
  expect(await replay()).toBeNull();
  expect(await inSnapshot(ledger.db, countJournal)).toMatchObject({ transactionCount: 50n });
  expect(await listBalancesAfter(ledger.db, { accountId: '', currency: '' }, 10)).toMatchObject([
    { accountId: 'acct_a', postedMinor: -50n },
    { accountId: 'acct_b', postedMinor: 50n },
  ]);
});
