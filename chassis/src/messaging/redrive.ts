/** Sends dead letters back to their origin, after the cause is fixed. Each is sent back once, in its original form. */

import type { Logger } from '../telemetry/log.ts';
import { DEAD_LETTER_HEADERS, withoutDeadLetterHeaders } from './dead-letters.ts';
import { connectRawProducer, type KafkaSettings, kafkaClient } from './kafka/producer.ts';
import type { RawMessage } from './kafka/raw-message.ts';
import {
  closeConnection,
  connectWithTopology,
  createConfirmedPublisher,
  deadLetterQueueOf,
  openConfirmChannel,
  type QueueSettings,
} from './rabbit/publisher.ts';
import type { ConfirmChannel, RascalMessage } from './rabbit/rascal.ts';

export interface RedriveTopicSettings extends KafkaSettings {
  deadLetterTopic: string;
}

/**
 * Redrives the messages of the dead-letter topic that were not redriven before. Its own consumer group stores the progress.
 * Returns their number.
 */
export async function redriveDeadLetters(settings: RedriveTopicSettings, log: Logger): Promise<number> {
  const { deadLetterTopic: topic } = settings;
  const kafka = kafkaClient(settings, log);
  const groupId = `${topic}.redrive`;
  const remaining = await offsetsToReach(kafka, groupId, topic);
  if (remaining.size === 0) return 0;

  const producer = await connectRawProducer(settings, log);
  const consumer = kafka.consumer({
    groupId,
    allowAutoTopicCreation: false,
    sessionTimeout: 10_000,
    maxWaitTimeInMs: 500,
  });
  let redriven = 0;
  const done = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload }) => done.reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachBatchAutoResolve: false,
      async eachBatch({
        batch: { messages, partition },
        resolveOffset,
        commitOffsetsIfNecessary,
        uncommittedOffsets,
      }) {
        for (const { key, value, headers = {}, offset } of messages) {
          const reach = remaining.get(partition);
          if (reach === undefined) break;
          const origin = headers[DEAD_LETTER_HEADERS.topic]?.toString();
          if (origin === undefined)
            log.warn({ topic, partition, offset }, 'a dead letter without an origin stays in its topic');
          else
            await producer.send(origin, [
              { key, value, headers: withoutDeadLetterHeaders(headers) } as RawMessage,
            ]);
          redriven += origin === undefined ? 0 : 1;
          resolveOffset(offset);
          if (BigInt(offset) + 1n >= reach) remaining.delete(partition);
        }
        await commitOffsetsIfNecessary(uncommittedOffsets());
        if (remaining.size === 0) done.resolve();
      },
    });
    await done.promise;
  } finally {
    await consumer.disconnect();
    await producer.close();
  }
  log.info({ topic, redriven }, 'dead letters sent back');
  return redriven;
}

/** By partition, the end offset of the messages to redrive. Partitions with nothing left are absent. */
async function offsetsToReach(kafka: ReturnType<typeof kafkaClient>, groupId: string, topic: string) {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const reached = new Map(
      committed?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]),
    );
    const ends = await admin.fetchTopicOffsets(topic);
    const open = ends.filter(({ partition, low, high }) => {
      const from = reached.get(partition) ?? -1n;
      return BigInt(high) > (from < 0n ? BigInt(low) : from);
    });
    return new Map(open.map(({ partition, high }) => [partition, BigInt(high)]));
  } finally {
    await admin.disconnect();
  }
}

/**
 * Redrives the current messages of the dead-letter queue. A message is removed after the original queue has confirmed it. Returns
 * their number.
 */
export async function redriveDeadLetterQueue(settings: QueueSettings, log: Logger): Promise<number> {
  const deadLetterQueue = deadLetterQueueOf(settings);
  const publisher = createConfirmedPublisher(settings, log);
  const connection = await connectWithTopology(settings);
  connection.on('error', (error) => log.warn({ err: error }, 'the connection to rabbitmq broke'));
  try {
    const channel = await openConfirmChannel(connection);
    const waiting = await messageCount(channel, deadLetterQueue);
    let redriven = 0;
    for (; redriven < waiting; redriven += 1) {
      const message = await nextMessage(channel, deadLetterQueue);
      if (message === false) break;
      const headers = withoutDeadLetterHeaders(message.properties.headers);
      const properties = { ...message.properties, headers };
      await publisher.publish(settings.queue, [{ content: message.content, properties }]);
      channel.ack(message);
    }
    await new Promise((resolve) => channel.close(resolve));
    log.info({ queue: settings.queue, redriven }, 'dead letters sent back');
    return redriven;
  } finally {
    await closeConnection(connection);
    await publisher.close();
  }
}

function messageCount(channel: ConfirmChannel, queue: string): Promise<number> {
  return new Promise((resolve, reject) => {
    channel.checkQueue(queue, (error, found) => (error ? reject(error) : resolve(found.messageCount)));
  });
}

function nextMessage(channel: ConfirmChannel, queue: string): Promise<RascalMessage | false> {
  return new Promise((resolve, reject) => {
    channel.get(queue, { noAck: false }, (error, message) => (error ? reject(error) : resolve(message)));
  });
}
