/** For tests only: topics of their own on the real Kafka, and what lies in them. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { testServers } from './servers.ts';

export interface TestTopics {
  topic: string;
  deadLetterTopic: string;
  drop(): Promise<void>;
}

export interface RawTopicMessage {
  headers: Record<string, string>;
  payload: Buffer;
}

const kafka = () => new Kafka({ brokers: testServers.kafkaBrokers(), logLevel: logLevel.NOTHING });

/** A topic of six partitions and one for its dead letters, under names that nobody else has. */
export async function createTestTopics(name: string): Promise<TestTopics> {
  const topic = `test-${name}-${randomUUID()}`;
  const deadLetterTopic = `${topic}.dlt`;
  const admin = kafka().admin();
  await admin.connect();
  const topics = [
    { topic, numPartitions: 6 },
    { topic: deadLetterTopic, numPartitions: 1 },
  ];
  await admin.createTopics({ topics, waitForLeaders: true });
  return {
    topic,
    deadLetterTopic,
    async drop() {
      await admin.deleteTopics({ topics: topics.map((each) => each.topic) });
      await admin.disconnect();
    },
  };
}

/** The first `count` messages of a topic as they lie there, without our own consumer. */
export async function readTestTopic(topic: string, count: number): Promise<RawTopicMessage[]> {
  const consumer = kafka().consumer({ groupId: `test-read-${randomUUID()}`, maxWaitTimeInMs: 100 });
  const messages: RawTopicMessage[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve) => {
    void consumer.run({
      async eachMessage({ message: { headers = {}, value } }) {
        const texts = Object.entries(headers).map(([header, text]) => [header, String(text)] as const);
        messages.push({ headers: Object.fromEntries(texts), payload: value ?? Buffer.alloc(0) });
        if (messages.length === count) resolve();
      },
    });
  });
  await consumer.disconnect();
  return messages;
}
