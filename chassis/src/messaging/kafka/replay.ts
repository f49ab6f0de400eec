/** Reads a topic once, from its oldest message to the newest at the start. It rebuilds a database that is derived from events. */
import { randomUUID } from 'node:crypto';
import type { EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import { createApply, type Delivery } from '../../batching/apply-batch.ts';
import { createBatcher } from '../../batching/batcher.ts';
import type { Logger } from '../../telemetry/log.ts';
import { type KafkaHandlers, orderKeyOf, type Source, toTopicMessage, traceparentOf } from './consumer.ts';
import { type KafkaSettings, kafkaClient } from './producer.ts';

export interface ReplaySettings extends KafkaSettings {
  topic: string;
  /** The maximum number of messages in one `apply`. */
  maxBatch?: number;
}

export interface Replayed {
  /** Number of messages that were applied. */
  appliedCount: number;
  /** Number of messages that cannot be decoded or applied. They are already dead letters, and stay there. */
  passedOverCount: number;
}

const MAX_PARTITIONS = 64;
const MAX_BYTES_PER_PARTITION = 256 * 1024;

/**
 * Resolves when all current messages of the topic are applied. Reads in its own consumer group, which is deleted afterwards, so
 * that the offsets of the running service do not change.
 */
export async function replayTopic<T>(
  settings: ReplaySettings,
  { decode, apply }: KafkaHandlers<T>,
  log: Logger,
): Promise<Replayed> {
  const { topic, maxBatch = 500 } = settings;
  const kafka = kafkaClient(settings, log);
  const groupId = `${settings.clientId}-replay-${randomUUID()}`;
  const ends = await fetchEnds(kafka, topic);
  const replayed = { appliedCount: 0, passedOverCount: 0 };

  function skip(raw: KafkaMessage, partition: number, error: unknown): void {
    replayed.passedOverCount += 1;
    log.warn(
      { err: error, topic, partition, offset: raw.offset },
      'message skipped: it cannot be decoded or applied',
    );
  }

  const { flush, aside } = createApply<Source, T>(
    {
      async apply(items) {
        await apply(items);
        replayed.appliedCount += items.length;
      },
      deadLetter: async ({ raw, partition }, _reason, error) => skip(raw, partition, error),
      traceparentOf,
      stopping: new AbortController().signal,
      // They are dead letters already, however many they are.
      maxDeadLettersInARow: Number.POSITIVE_INFINITY,
    },
    log,
  );
  const batcher = createBatcher<Delivery<Source, T>, void>({
    maxSize: maxBatch,
    flush,
    aside: { ...aside, keyOf: ({ message }) => orderKeyOf(message) },
  });
  const claim = { lost: false };

  async function submit(source: Source): Promise<void> {
    let value: T;
    try {
      value = decode(toTopicMessage(source));
    } catch (error) {
      return skip(source.raw, source.partition, error);
    }
    return batcher.submit({ message: source, value, claim });
  }

  await readUntil(kafka, { topic, groupId, ends }, (partition, messages) =>
    Promise.all(messages.map((raw) => submit({ partition, raw }))),
  );
  return replayed;
}

/** For each partition with messages, the offset after the newest. */
type Ends = Map<number, bigint>;

async function fetchEnds(kafka: Kafka, topic: string): Promise<Ends> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    const filled = offsets.filter(({ low, high }) => BigInt(high) > BigInt(low));
    return new Map(filled.map(({ partition, high }) => [partition, BigInt(high)]));
  } finally {
    await admin.disconnect();
  }
}

/** Passes on every message below the end offsets, and returns when they are reached. */
async function readUntil(
  kafka: Kafka,
  { topic, groupId, ends }: { topic: string; groupId: string; ends: Ends },
  work: (partition: number, messages: KafkaMessage[]) => Promise<unknown>,
): Promise<void> {
  if (ends.size === 0) return;
  const open = new Set(ends.keys());
  const finished = Promise.withResolvers<void>();
  const consumer = kafka.consumer({
    groupId,
    allowAutoTopicCreation: false,
    maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
  });
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    if (!restart) finished.reject(error);
  });

  async function eachBatch({ batch, resolveOffset, heartbeat }: EachBatchPayload): Promise<void> {
    const end = ends.get(batch.partition) ?? 0n;
    await work(
      batch.partition,
      batch.messages.filter(({ offset }) => BigInt(offset) < end),
    );
    resolveOffset(batch.lastOffset());
    await heartbeat();
    if (BigInt(batch.lastOffset()) >= end - 1n) open.delete(batch.partition);
    if (open.size === 0) finished.resolve();
  }

  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    // Nothing is committed: if kafkajs restarts after an error, it begins with the oldest message again.
    await consumer.run({
      eachBatch,
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: MAX_PARTITIONS,
    });
    await finished.promise;
  } finally {
    await consumer.disconnect();
    await removeGroup(kafka, groupId);
  }
}

async function removeGroup(kafka: Kafka, groupId: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.deleteGroups([groupId]);
  } finally {
    await admin.disconnect();
  }
}
