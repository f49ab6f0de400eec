/** Kafka behind our own small interface: kafkajs is unmaintained, and nothing outside the files kafka*.ts knows it. */
import { Kafka, type LogEntry, logLevel } from 'kafkajs';
import type { Logger } from '../../telemetry/log.ts';
import type { OutgoingMessage } from '../cloud-events.ts';
import { repairRecords } from './kafkajs-record.ts';
import { repairRequestQueue } from './kafkajs-timer.ts';
import { byKey } from './partitioner.ts';
import type { RawMessage } from './raw-message.ts';

export interface KafkaSettings {
  /** host:port, as a list or separated by commas. */
  brokers: string | readonly string[];
  clientId: string;
}

export interface KafkaProducer {
  /**
   * Resolves when all in-sync replicas have all messages; the order of one key is kept. Rejects after a few seconds while no
   * broker is there; some of the messages may then have arrived, and the caller sends all again with the same ids.
   */
  publish(topic: string, messages: readonly OutgoingMessage[]): Promise<void>;
  close(): Promise<void>;
}

export interface RawProducer {
  send(topic: string, messages: readonly RawMessage[]): Promise<void>;
  close(): Promise<void>;
}

repairRequestQueue();
repairRecords();

export function kafkaClient({ brokers, clientId }: KafkaSettings, log: Logger): Kafka {
  return new Kafka({
    clientId,
    brokers: typeof brokers === 'string' ? brokers.split(',') : [...brokers],
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    // Recovery must not wait for half a minute, kafkajs' default, when a broker is back.
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 },
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => forwardLog(entry, log),
  });
}

/** Where a lost connection and a coordinator that is still loading are reported, over and over; what comes of it is logged elsewhere. */
const CHATTY = ['Connection', 'BrokerPool', 'Runner', 'ConsumerGroup', 'Consumer'];

/** kafkajs calls everything an error that it will simply retry. What is left unresolved is thrown at us, and logged by us. */
function forwardLog({ namespace, level, log: entry }: LogEntry, log: Logger): void {
  const { message, timestamp: _, logger: __, ...facts } = entry;
  const isWorth = level <= logLevel.WARN && !CHATTY.includes(namespace);
  log[isWorth ? 'warn' : 'debug']({ kafkajs: namespace, ...facts }, message);
}

/**
 * One `send` is in flight at a time, so a retry cannot overtake a later one.
 * kafkajs' idempotent mode is off on purpose: when a send is given up although the broker has stored it, kafkajs takes the sequence numbers
 * back and gives them to the next messages, which the broker then drops as duplicates, silently. Duplicates are harmless here, losses are not.
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
    await producer.send({ topic, acks: -1, messages: [...messages] });
  }

  await connect().catch((error) =>
    log.warn({ err: error }, 'kafka is away; publishing starts when it is back'),
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
 * A broker takes a batch for one partition only up to its `max.message.bytes`, 1 MiB unless it was changed, and kafkajs makes one batch
 * of all that is sent at once. In the worst case all of it goes to one partition.
 */
const MAX_PIECE_BYTES = 900 * 1024;

/** The messages in their order, in pieces that a broker takes; one that is too large by itself stands alone. */
function* piecesOf(messages: readonly OutgoingMessage[]): Generator<OutgoingMessage[]> {
  let piece: OutgoingMessage[] = [];
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

/** At least what the message takes in a batch: lengths and numbers are a few bytes each. */
function sizeOf({ key, payload, headers }: OutgoingMessage): number {
  const texts = Object.entries(headers).flat();
  const lengths = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 5, 0);
  return payload.length + Buffer.byteLength(key) + lengths + 40;
}

function toRaw({ key, payload, headers }: OutgoingMessage): RawMessage {
  return { key: Buffer.from(key), value: payload, headers };
}
