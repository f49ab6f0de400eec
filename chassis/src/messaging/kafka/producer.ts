/** Publishes to Kafka behind our own small interface. kafkajs is unmaintained, so only the files in this folder use it. */
import { Kafka, type LogEntry, logLevel } from 'kafkajs';
import { TlsOptions } from '../../process/authorities.ts';
import type { KafkaConnection } from '../../process/connections.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { EventMessage } from '../cloud-events.ts';
import { RefusedError } from '../refused.ts';
import { repairRecords } from './kafkajs-record.ts';
import { repairRequestQueue } from './kafkajs-timer.ts';
import { byKey } from './partitioner.ts';
import type { RawMessage } from './raw-message.ts';

export interface KafkaSettings extends KafkaConnection {
  clientId: string;
}

export interface KafkaProducer {
  /**
   * Resolves when all in-sync replicas have all messages. The order of one key is kept. Rejects after a few seconds if no broker
   * is available. Some of the messages may then be stored, and the caller sends all again with the same ids.
   *
   * Rejects with RefusedError if the broker will never accept one of the messages.
   */
  publish(topic: string, messages: readonly EventMessage[]): Promise<void>;
  close(): Promise<void>;
}

export interface RawProducer {
  send(topic: string, messages: readonly RawMessage[]): Promise<void>;
  close(): Promise<void>;
}

repairRequestQueue();
repairRecords();

export function kafkaClient({ brokers, tls, login, clientId }: KafkaSettings, log: Logger): Kafka {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ...(tls && { ssl: new TlsOptions(tls) }),
    ...(login && { sasl: { mechanism: 'scram-sha-512', ...login } }),
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    // The default of kafkajs, half a minute, would delay recovery after the broker is back.
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => forwardLog(entry, log),
  });
}

/** These namespaces report a lost connection or a loading coordinator again and again. Other code logs the consequences. */
const REPETITIVE_NAMESPACES = ['Connection', 'BrokerPool', 'Runner', 'ConsumerGroup', 'Consumer'];

/** kafkajs logs errors that it will retry. If the retries fail, it throws the error, and our code logs it. */
function forwardLog({ namespace, level, log: entry }: LogEntry, log: Logger): void {
  const { message, timestamp: _, logger: __, ...facts } = entry;
  const isImportant = level <= logLevel.WARN && !REPETITIVE_NAMESPACES.includes(namespace);
  log[isImportant ? 'warn' : 'debug']({ kafkajs: namespace, ...facts }, message);
}

/** Kafka's errors about the content of a message. Its other errors end by themselves, or concern all messages. */
const REFUSALS = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'];

/** kafkajs wraps the broker's error. */
function isRefusal(error: unknown): boolean {
  const { type, cause } = (error ?? {}) as { type?: string; cause?: unknown };
  return (type !== undefined && REFUSALS.includes(type)) || (cause !== undefined && isRefusal(cause));
}

/**
 * One `send` is in flight at a time, so a retry cannot overtake a later one.
 *
 * kafkajs' idempotent mode is off on purpose. If kafkajs gives up a send that the broker has stored, it assigns the same sequence
 * numbers to the next messages. The broker then drops these as duplicates, silently. Duplicates are harmless here, losses are
 * not.
 */
export async function connectRawProducer(settings: KafkaSettings, log: Logger): Promise<RawProducer> {
  const producer = kafkaClient(settings, log).producer({
    allowAutoTopicCreation: false,
    idempotent: false,
    maxInFlightRequests: 1,
    createPartitioner: byKey,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 4 },
  });
  let connected: Promise<void> | undefined;
  let last: Promise<void> = Promise.resolve();

  function connect(): Promise<void> {
    connected ??= producer.connect().catch((error) => {
      connected = undefined;
      throw error;
    });
    return connected;
  }

  async function sendNow(topic: string, messages: readonly RawMessage[]): Promise<void> {
    await connect();
    try {
      await producer.send({ topic, acks: -1, messages: [...messages] });
    } catch (error) {
      throw isRefusal(error) ? new RefusedError((error as Error).message, { cause: error }) : error;
    }
  }

  await connect().catch((error) =>
    log.warn({ err: error }, 'kafka is unavailable; publishing starts when it is available'),
  );
  return {
    send(topic, messages) {
      if (messages.length === 0) return Promise.resolve();
      const sent = last.then(() => sendNow(topic, messages));
      last = sent.catch(() => {});
      return sent;
    },
    async close() {
      await last;
      await producer.disconnect();
    },
  };
}

export async function connectKafkaProducer(settings: KafkaSettings, log: Logger): Promise<KafkaProducer> {
  const producer = await connectRawProducer(settings, log);
  return {
    async publish(topic, messages) {
      for (const piece of piecesOf(messages)) await producer.send(topic, piece.map(toRaw));
    },
    close: () => producer.close(),
  };
}

/**
 * A broker limits a batch for one partition to its `max.message.bytes`, 1 MiB unless configured. kafkajs makes one batch of all
 * messages of a send. In the worst case all of them go to one partition.
 */
const MAX_PIECE_BYTES = 900 * 1024;

/**
 * Splits the messages, in their order, into pieces that the broker accepts. A message above the limit gets a piece of its own.
 */
function* piecesOf(messages: readonly EventMessage[]): Generator<EventMessage[]> {
  let piece: EventMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = sizeOf(message);
    if (piece.length > 0 && bytes + size > MAX_PIECE_BYTES) {
      yield piece;
      piece = [];
      bytes = 0;
    }
    piece.push(message);
    bytes += size;
  }
  if (piece.length > 0) yield piece;
}

/** Estimates the bytes of the message in a batch from above: lengths and numbers are a few bytes each. */
function sizeOf({ key, payload, headers }: EventMessage): number {
  const texts = Object.entries(headers).flat();
  const lengths = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 5, 0);
  return payload.length + Buffer.byteLength(key) + lengths + 40;
}

function toRaw({ key, payload, headers }: EventMessage): RawMessage {
  return { key: Buffer.from(key), value: payload, headers };
}
