/**
 * Reads a topic as one member of a consumer group. One batcher collects the messages of all partitions, and applies them
 * together. An offset is committed only if every earlier message is applied or is a dead letter. So every message is applied at
 * least once.
 */
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import {
  type Claim,
  createApply,
  type DeadLetterReason,
  type Delivery,
  StoppedError,
} from '../../batching/apply-batch.ts';
import { createBatcher } from '../../batching/batcher.ts';
import { backoffMs, sleep } from '../../process/backoff.ts';
import { inTime } from '../../process/in-time.ts';
import { createOutage, type Outage } from '../../process/outage.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { EventMessage } from '../cloud-events.ts';
import { type Lag, measureLag } from '../consumer-metrics.ts';
import { DEAD_LETTER_HEADERS, describeError } from '../dead-letters.ts';
import { processSpans } from '../message-spans.ts';
import { connectRawProducer, type KafkaSettings, kafkaClient, type RawProducer } from './producer.ts';

export interface KafkaConsumerSettings extends KafkaSettings {
  groupId: string;
  topic: string;
  deadLetterTopic: string;
  /** The maximum number of messages in one `apply`. */
  maxBatch?: number;
}

export interface TopicMessage extends EventMessage {
  partition: number;
  offset: bigint;
}

export interface KafkaHandlers<T> {
  /** Throws for a message that cannot be decoded: it becomes a dead letter at once. */
  decode(message: TopicMessage): T;
  /** Applies all items in one idempotent transaction. Items of one key are in order. */
  apply(items: T[]): Promise<void>;
}

/** The end of a topic at one moment: the offset of the next message, by partition. */
export type TopicEnds = ReadonlyMap<number, bigint>;

export interface KafkaConsumer {
  /** Messages in the topic that this group has not committed yet, over all partitions. */
  lag(): Promise<bigint>;
  /** The same, with the age of the oldest of them. */
  lagAndAge(): Promise<Lag>;
  /** The current end of the topic. */
  ends(): Promise<TopicEnds>;
  /** True if this group has applied and committed every message before these ends. */
  hasPassed(ends: TopicEnds): Promise<boolean>;
  /** The reason why no message is consumed at present, if there is one. */
  problem(): string | undefined;
  /** Finishes and commits the messages in progress, and leaves the group. */
  stop(): Promise<void>;
}

/**
 * The partitions of a killed member stay unread for this long. A member without a heartbeat for this long loses its partitions.
 */
const SESSION_MS = 10_000;
const HEARTBEAT_MS = 2_000;
/** Concurrent kafkajs workers for partitions. Workers without a partition cost nothing. */
const MAX_PARTITIONS = 64;
const MAX_BYTES_PER_PARTITION = 256 * 1024;
/** A transaction costs the same for any number of messages. So at most ten start per second, unless the batches are full. */
const PACE_MS = 100;
/**
 * Maximum milliseconds between applying messages and committing their offsets. kafkajs would commit after each partition's batch,
 * all partitions at once, which costs more than fetching them. After a crash, uncommitted messages are redelivered, and consumers
 * deduplicate them.
 */
const COMMIT_MS = 250;
/**
 * Maximum milliseconds that a fetch waits at the broker. The next message ends the wait at once, but a shutdown has to wait for
 * its end.
 */
const FETCH_WAIT_MS = 500;

/** Shorter than the limit of a whole shutdown, in which other parts stop too. A normal stop waits for FETCH_WAIT_MS at most. */
export const STOP_MS = 4_000;

type TopicDelivery<T> = Delivery<Source, T>;
export type Source = { partition: number; raw: KafkaMessage };

/** Messages of one key are in order. Messages without a key are in the order of their partition. */
export const orderKeyOf = ({ partition, raw: { key } }: Source): string =>
  key ? `key ${key.toString('latin1')}` : `partition ${partition}`;

/** Returns the header of the message, also of one that is not a CloudEvent. */
export function traceparentOf({ raw }: Source): string | undefined {
  const header = raw.headers?.traceparent;
  return (Array.isArray(header) ? header[0] : header)?.toString();
}

/** Starts in the background. If the broker is unavailable or the topic does not exist yet, it retries. */
export async function startKafkaConsumer<T>(
  settings: KafkaConsumerSettings,
  { decode, apply }: KafkaHandlers<T>,
  log: Logger,
): Promise<KafkaConsumer> {
  const { topic, groupId, maxBatch = 500 } = settings;
  const kafka = kafkaClient(settings, log);
  const stopping = new AbortController();
  const deadLetters = createDeadLetterTopic(settings, log);

  const { flush, storeUndecodable, aside, problem } = createApply<Source, T>(
    {
      apply,
      stopping: stopping.signal,
      source: topic,
      deadLetter: (source, reason, error) => deadLetters.publish(source, reason, error),
      traceparentOf,
    },
    log.child({ topic, group: groupId }),
  );
  const batcher = createBatcher<TopicDelivery<T>, void>({
    name: topic,
    span: processSpans<Source>({ system: 'kafka', destination: topic, group: groupId }, traceparentOf),
    maxSize: maxBatch,
    paceMs: PACE_MS,
    flush,
    aside: { ...aside, keyOf: ({ message }) => orderKeyOf(message) },
  });

  function submit(source: Source, claim: Claim): Promise<void> {
    let value: T;
    try {
      value = decode(toTopicMessage(source));
    } catch (error) {
      return storeUndecodable(source, error);
    }
    return batcher.submit({ message: source, value, claim });
  }

  const offsets = createOffsetCommits(stopping.signal, log);

  let joinCount = 0;
  const heldUpBatches = new Set<Promise<unknown>>();

  /** Resolves when all messages are applied and their offset is committed. */
  async function consumeBatch(payload: EachBatchPayload, claim: Claim): Promise<void> {
    const { batch, resolveOffset, heartbeat } = payload;
    const work = batch.messages.map((raw) => submit({ partition: batch.partition, raw }, claim));
    const joinCountBefore = joinCount;
    try {
      await withHeartbeats(Promise.all(work), heartbeat);
      // The group was rebalanced while the partition was paused. The new owner of the partition reads from the committed offset.
      if (joinCount !== joinCountBefore) return;
      resolveOffset(batch.lastOffset());
      await offsets.applied(payload);
    } catch (error) {
      claim.lost = true;
      // Without a resolved offset the messages are read again, by the next start or another member.
      if (!(error instanceof StoppedError)) throw error;
    }
  }

  /**
   * kafkajs fetches again only after the batches of all partitions have returned. So a batch with a message that a lock holds up
   * returns early, and its partition is paused until the batch is consumed. The other partitions continue.
   */
  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    if (payload.isStale()) return;
    const heldUp = Promise.withResolvers<true>();
    const consumed = consumeBatch(payload, { lost: false, heldUp: () => heldUp.resolve(true) });
    const isHeldUp = await Promise.race([consumed, heldUp.promise]);
    if (!isHeldUp) return;
    const resume = payload.pause();
    const resumed = consumed
      .catch((error) => log.warn({ err: error }, 'messages that a lock held up failed; they are read again'))
      .finally(() => {
        resume();
        heldUpBatches.delete(resumed);
      });
    heldUpBatches.add(resumed);
  }

  const onJoin = () => {
    joinCount += 1;
  };
  const outage = createOutage();
  const running = runConsumer(kafka, settings, { eachBatch, onJoin, outage }, stopping.signal, log);
  const admin = createLagProbe(kafka, topic, groupId);
  measureLag(topic, admin.lagAndAge);

  async function leave(): Promise<void> {
    const consumer = await running;
    await Promise.all(heldUpBatches);
    await offsets.commit();
    await consumer?.stop();
    await Promise.all([consumer?.disconnect(), deadLetters.close(), admin.close()]);
  }

  return {
    lag: admin.lag,
    lagAndAge: admin.lagAndAge,
    ends: admin.ends,
    hasPassed: admin.hasPassed,
    problem: () => problem() ?? (outage.isLong() ? 'kafka is unavailable' : undefined),
    async stop() {
      stopping.abort();
      await inTime(leave(), STOP_MS, () =>
        log.warn({ topic }, 'messages were not applied before the shutdown; they are read again'),
      );
    },
  };
}

interface Runner {
  eachBatch(payload: EachBatchPayload): Promise<void>;
  onJoin(): void;
  /** Lasts until this member has joined the group. */
  outage: Outage;
}

/** Retries until the consumer runs or is stopped. After that, kafkajs itself restarts after errors that it calls retriable. */
export async function runConsumer(
  kafka: Kafka,
  { groupId, topic }: Pick<KafkaConsumerSettings, 'groupId' | 'topic'>,
  { eachBatch, onJoin, outage }: Runner,
  stopping: AbortSignal,
  log: Logger,
): Promise<Consumer | undefined> {
  outage.begin();
  for (let attempt = 0; !stopping.aborted; attempt += 1) {
    const consumer = kafka.consumer({
      groupId,
      allowAutoTopicCreation: false,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: 2 * SESSION_MS,
      maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
      maxWaitTimeInMs: FETCH_WAIT_MS,
    });
    watchCrashes(consumer, topic, outage, log);
    consumer.on(consumer.events.GROUP_JOIN, onJoin);
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        eachBatch,
        eachBatchAutoResolve: false,
        autoCommit: false,
        partitionsConsumedConcurrently: MAX_PARTITIONS,
      });
      return consumer;
    } catch (error) {
      if (attempt === 0)
        log.warn(
          { err: error, topic },
          'kafka is unavailable or the topic is missing; retrying until consuming starts',
        );
      await consumer.disconnect().catch(() => {});
      await sleep(backoffMs(attempt), stopping);
    }
  }
  return undefined;
}

/** Commits the offsets of applied messages, for all partitions together: after a delay, and at once during shutdown. */
function createOffsetCommits(stopping: AbortSignal, log: Logger) {
  let latest: EachBatchPayload | undefined;
  let timer: NodeJS.Timeout | undefined;

  async function commit(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    try {
      await latest?.commitOffsetsIfNecessary(latest.uncommittedOffsets());
    } catch (error) {
      // The group is being rebalanced, or the broker is unavailable. The next batch commits the offset, in this or another
      // member.
      log.debug({ err: error }, 'offsets were not committed');
    }
  }

  return {
    commit,
    async applied(payload: EachBatchPayload): Promise<void> {
      latest = payload;
      if (stopping.aborted) await commit();
      else timer ??= setTimeout(() => void commit(), COMMIT_MS);
    },
  };
}

/**
 * After a crash from which kafkajs does not restart, the process would look alive and read nothing. It exits, and the supervisor
 * starts a new one.
 *
 * The other crashes repeat every few seconds while the broker is unavailable. Only the first is logged.
 */
function watchCrashes(consumer: Consumer, topic: string, outage: Outage, log: Logger): void {
  let isAway = false;
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    if (!restart) {
      log.fatal({ err: error, topic }, 'the consumer crashed and cannot restart; exiting');
      process.exit(1);
    }
    log[isAway ? 'debug' : 'warn']({ err: error, topic }, 'the consumer lost kafka and starts again');
    isAway = true;
    outage.begin();
  });
  consumer.on(consumer.events.GROUP_JOIN, ({ payload: { memberAssignment } }) => {
    isAway = false;
    outage.end();
    log.info({ topic, partitions: memberAssignment[topic] ?? [] }, 'consuming');
  });
}

/** Sends heartbeats to the group while `work` runs. Rejects as soon as the group has removed this member. */
export async function withHeartbeats(work: Promise<unknown>, heartbeat: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expelled = new Promise<never>((_, reject) => {
    timer = setInterval(() => heartbeat().catch(reject), HEARTBEAT_MS);
  });
  try {
    await Promise.race([work, expelled]);
  } finally {
    clearInterval(timer);
    // The loser of the race may still reject. Without a handler, that would end the process.
    work.catch(() => {});
    expelled.catch(() => {});
  }
}

export function toTopicMessage({ partition, raw }: Source): TopicMessage {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(raw.headers ?? {})) {
    const single = Array.isArray(value) ? value[0] : value;
    if (single !== undefined) headers[name] = single.toString();
  }
  const { ce_id: id, ce_type: type } = headers;
  if (!id || !type) throw new Error('The headers ce_id and ce_type are missing: this is not a CloudEvent.');
  if (raw.value === null) throw new Error('The message has no payload.');
  return {
    id,
    type,
    key: raw.key?.toString() ?? '',
    headers,
    payload: raw.value,
    partition,
    offset: BigInt(raw.offset),
  };
}

/** The producer is created with the first dead letter: most consumers never have one. */
function createDeadLetterTopic(settings: KafkaConsumerSettings, log: Logger) {
  const { topic, deadLetterTopic } = settings;
  let producer: Promise<RawProducer> | undefined;
  return {
    async publish({ partition, raw }: Source, reason: DeadLetterReason, error: unknown): Promise<void> {
      producer ??= connectRawProducer(settings, log);
      const headers = {
        ...raw.headers,
        [DEAD_LETTER_HEADERS.reason]: reason,
        [DEAD_LETTER_HEADERS.error]: describeError(error),
        [DEAD_LETTER_HEADERS.topic]: topic,
        [DEAD_LETTER_HEADERS.partition]: String(partition),
        [DEAD_LETTER_HEADERS.offset]: raw.offset,
        [DEAD_LETTER_HEADERS.time]: new Date().toISOString(),
      };
      await (await producer).send(deadLetterTopic, [{ key: raw.key, value: raw.value, headers }]);
      log.error({ err: error, reason, topic, partition, offset: raw.offset, deadLetterTopic }, 'dead letter');
    },
    close: async () => (await producer)?.close(),
  };
}

/** The ages, in seconds, by which `lagAndAge` asks whether a message is older. Kafka finds a message by its time, and not its time. */
const AGES_S = [1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 300, 600, 1_800, 3_600, 21_600, 86_400];

function createLagProbe(kafka: Kafka, topic: string, groupId: string) {
  const admin = kafka.admin();
  let connected: Promise<void> | undefined;

  /** The messages that are not committed yet, by partition: the first offset, and the end. */
  async function waiting() {
    connected ??= admin.connect().catch((error) => {
      connected = undefined;
      throw error;
    });
    await connected;
    const [ends, [committed]] = await Promise.all([
      admin.fetchTopicOffsets(topic),
      admin.fetchOffsets({ groupId, topics: [topic] }),
    ]);
    const offsets = new Map(
      committed?.partitions.map(({ partition, offset }) => [partition, BigInt(offset)]),
    );
    return ends.map(({ partition, low, high }) => {
      const reached = offsets.get(partition) ?? -1n;
      // A negative offset means that nothing was committed yet, so reading starts at the oldest message.
      return { partition, first: reached < 0n ? BigInt(low) : reached, end: BigInt(high) };
    });
  }

  const sum = (parts: Awaited<ReturnType<typeof waiting>>) =>
    parts.reduce((count, { first, end }) => count + end - first, 0n);

  const lag = async (): Promise<bigint> => sum(await waiting());

  /** The age is that of any member's messages, so every member reports the same. */
  async function lagAndAge(): Promise<Lag> {
    const parts = (await waiting()).filter(({ first, end }) => end > first);
    const firsts = new Map(parts.map(({ partition, first }) => [partition, first]));
    const now = Date.now();
    let seconds = 0;
    for (const age of parts.length > 0 ? AGES_S : []) {
      const younger = await admin.fetchTopicOffsetsByTimestamp(topic, now - age * 1_000);
      const isOlder = younger.some(
        ({ partition, offset }) => BigInt(offset) > (firsts.get(partition) ?? BigInt(offset)),
      );
      if (!isOlder) break;
      seconds = age;
    }
    return { messages: Number(sum(parts)), seconds };
  }

  const ends = async (): Promise<TopicEnds> =>
    new Map((await waiting()).map(({ partition, end }) => [partition, end]));

  async function hasPassed(marked: TopicEnds): Promise<boolean> {
    const parts = await waiting();
    return parts.every(({ partition, first }) => first >= (marked.get(partition) ?? 0n));
  }

  return { lag, lagAndAge, ends, hasPassed, close: async () => connected && admin.disconnect() };
}
