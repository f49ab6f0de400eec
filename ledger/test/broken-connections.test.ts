/** All database connections break again and again while events are posted, sealed and read. */
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
import { startSealer } from '../src/app/seal-journal.ts';
import { paymentEvents } from '../src/consumers/payment-events.ts';
import { countJournal } from '../src/store/proof.ts';
import { atOneMoment } from '../src/store/snapshot.ts';
import { checkWholeSeal, createLedgerDatabase } from './fixture.ts';
import { outgoing, paymentEvent, transfer } from './neighbours.ts';

it('every event is posted once and sealed, and the service lives on', async () => {
  const [topics, ledger] = await Promise.all([createTestTopics('ledger-cut'), createLedgerDatabase()]);
  const { topic, deadLetterTopic } = topics;
  const sealer = startSealer({ db: ledger.db, now: () => new Date() }, 10, testLog);
  const events = Array.from({ length: 200 }, (_, n) => {
    return paymentEvent([transfer('external:EUR', `acct_${n % 7}`, BigInt(n + 1))]);
  });
  const settings = { ...testServers.kafka(), clientId: 'test-ledger', groupId: `test-${newId('req')}` };
  const consumer = await startKafkaConsumer(
    { ...settings, topic, deadLetterTopic, maxBatch: 10 },
    paymentEvents(ledger),
    testLog,
  );
  await whileConnectionsBreak(ledger.adminUrl, async () => {
    await topics.publish(events.map(outgoing));
    await catchUp(consumer);
  });
  await consumer.stop();
  await sealer.stop();
  expect((await atOneMoment(ledger.db, countJournal)).transactionCount).toBe(200n);
  expect((await checkWholeSeal(ledger)).brokenDetail).toBe('');
  await Promise.all([ledger.drop(), topics.drop()]);
});
