/** Creates the topics. Payment events are kept for ever, because ledger and analytics can be rebuilt from them. */
import { Kafka, logLevel } from 'kafkajs';

const TOPICS = [
  { topic: 'payment-events', numPartitions: 6, configEntries: [{ name: 'retention.ms', value: '-1' }] },
  { topic: 'payment-events.dlt', numPartitions: 1, configEntries: [{ name: 'retention.ms', value: '-1' }] },
];

/** Creates missing topics, and leaves existing ones unchanged. */
export async function provisionKafka(brokers: string): Promise<void> {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.ERROR }).admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const topics = TOPICS.filter(({ topic }) => !existing.has(topic));
    if (topics.length > 0) await admin.createTopics({ topics, waitForLeaders: true });
  } finally {
    await admin.disconnect();
  }
}
