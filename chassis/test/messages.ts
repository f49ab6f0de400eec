/** Topics, queues and messages for the tests of messaging: unique, so that tests never meet. */
import { randomUUID } from 'node:crypto';
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { cloudEventMessage, type OutgoingMessage } from '../src/cloud-events.ts';
import { testServers } from '../src/testing.ts';

export const unique = (name: string) => `test-${name}-${randomUUID().slice(0, 8)}`;

export function message(text: string, key = 'k', id = `evt_${randomUUID()}`): OutgoingMessage {
  return cloudEventMessage({
    id,
    key,
    type: 'test.happened',
    source: '/payflowx/test',
    time: new Date(),
    payload: Buffer.from(text),
  });
}

const kafka = () => new Kafka({ brokers: testServers.kafkaBrokers(), logLevel: logLevel.NOTHING });

export interface TestTopics {
  topic: string;
  deadLetterTopic: string;
  drop(): Promise<void>;
}

export async function createTopics(name: string): Promise<TestTopics> {
  const topic = unique(name);
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
export async function readRaw(topic: string, count: number): Promise<KafkaMessage[]> {
  const consumer = kafka().consumer({ groupId: unique('raw'), maxWaitTimeInMs: 100 });
  const messages: KafkaMessage[] = [];
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await new Promise<void>((resolve) => {
    void consumer.run({
      async eachMessage({ message: each }) {
        messages.push(each);
        if (messages.length === count) resolve();
      },
    });
  });
  await consumer.disconnect();
  return messages;
}
