/** For tests only: creates topics on the real Kafka, and reads them. */
import { randomUUID } from 'node:crypto';
import { cloudEventMessage, type OutgoingEvent } from '../messaging/cloud-events.ts';
import { connectKafkaProducer, kafkaClient } from '../messaging/kafka/producer.ts';
import { eventually } from './eventually.ts';
import { testLog } from './log.ts';
import { testServers } from './servers.ts';

export interface TestTopics {
  topic: string;
  deadLetterTopic: string;
  /** Resolves when the broker has stored all messages. */
  publish(events: readonly OutgoingEvent[]): Promise<void>;
  drop(): Promise<void>;
}

export interface RawTopicMessage {
  headers: Record<string, string>;
  payload: Buffer;
}

const kafka = () => kafkaClient({ ...testServers.kafka(), clientId: 'test' }, testLog);

/** Creates a topic with six partitions and one for its dead letters, under unique names. */
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
    async publish(events) {
      const producer = await connectKafkaProducer({ ...testServers.kafka(), clientId: 'test' }, testLog);
      await producer.publish(topic, events.map(cloudEventMessage));
      await producer.close();
    },
    async drop() {
      await admin.deleteTopics({ topics: topics.map((each) => each.topic) });
      await admin.disconnect();
    },
  };
}

/** Reads the first `count` messages of a topic, without our own consumer. */
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

/** Waits until a consumer has handled all messages of its topic. */
export function catchUp(consumer: { lag(): Promise<bigint> }): Promise<void> {
  return eventually(
    async () => {
      const lag = await consumer.lag();
      if (lag !== 0n) throw new Error(`The consumer has a lag of ${lag} messages.`);
    },
    { everyMs: 200 },
  );
}
