/**
 * A work queue on RabbitMQ and its publisher. Rascal asserts the topology and consumes. Publishing uses one confirm channel on a
 * connection that Rascal opens. Rascal's own publications use one channel each until they are confirmed, without order or
 * pipelining.
 */
import { randomUUID } from 'node:crypto';
import { inTime } from '../../process/in-time.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { OutgoingMessage } from '../cloud-events.ts';
import { type Parcel, unpackParcel } from '../parcel.ts';
import { RefusedError } from '../refused.ts';
import { type AmqpConnection, type AmqpProperties, type ConfirmChannel, createBroker } from './rascal.ts';

export interface QueueSettings {
  /** amqp://user:password@host:port/vhost */
  url: string;
  queue: string;
  /** Default: the queue's name with the suffix `.dlq`. */
  deadLetterQueue?: string;
  /**
   * Number of times that a message may return unacknowledged because its consumer died. After that it becomes a dead letter.
   * Default 5.
   */
  deliveryLimit?: number;
}

export interface RabbitPublisher {
  /**
   * A parcel is one message, because to confirm and to acknowledge it costs the same for one event as for fifty. Resolves when
   * the broker has stored all messages.
   *
   * Rejects while the broker is unavailable, with UnroutableError if no queue accepts a message, and with RefusedError if the
   * broker will never accept one. Some of the events may then be stored, and the caller sends all again with the same ids.
   */
  publish(parcels: readonly Parcel[]): Promise<void>;
  close(): Promise<void>;
}

/** The broker returned the message because it has no queue for it. */
export class UnroutableError extends Error {
  override readonly name = 'UnroutableError';
  constructor(routingKey: string) {
    super(`No queue accepts messages for "${routingKey}".`);
  }
}

export const VHOST = '/';
const CONFIRM_MS = 10_000;
/** The property `type` of a message with a parcel. */
const PARCEL_TYPE = 'payflowx.outbox.v1.Parcel';
/** A consumer holds as many messages as its prefetch allows, of any size. Events of a larger parcel are sent one by one. */
const MAX_PARCEL_BYTES = 256 * 1024;

export const deadLetterQueueOf = ({ queue, deadLetterQueue }: QueueSettings) =>
  deadLetterQueue ?? `${queue}.dlq`;

/** Publisher and consumer assert the same topology. The first one creates the queues, and the broker refuses a different one. */
export function rascalConfig(settings: QueueSettings): { vhosts: object; defaults: object } {
  const { url, queue, deliveryLimit = 5 } = settings;
  const deadLetterQueue = deadLetterQueueOf(settings);
  const connection = { url, options: { heartbeat: 10 }, socketOptions: { timeout: 5_000, keepAlive: true } };
  const work = {
    'x-queue-type': 'quorum',
    'x-delivery-limit': deliveryLimit,
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': deadLetterQueue,
    // A dead letter leaves this queue only after the dead-letter queue has confirmed it.
    // https://www.rabbitmq.com/docs/quorum-queues#activating-at-least-once-dead-lettering
    'x-dead-letter-strategy': 'at-least-once',
    'x-overflow': 'reject-publish',
  };
  return {
    // Rascal reads the retry settings of a connection only here. Its own default waits up to a minute.
    defaults: {
      vhosts: { connection: { retry: { min: 200, max: 2_000, factor: 2, strategy: 'exponential' } } },
    },
    vhosts: {
      [VHOST]: {
        connection,
        queues: {
          [deadLetterQueue]: { options: { durable: true, arguments: { 'x-queue-type': 'quorum' } } },
          [queue]: { options: { durable: true, arguments: work } },
        },
      },
    },
  };
}

export async function connectRabbitPublisher(settings: QueueSettings, log: Logger): Promise<RabbitPublisher> {
  const publisher = createConfirmedPublisher(settings, log);
  await publisher
    .open()
    .catch((error) =>
      log.warn({ err: error }, 'rabbitmq is unavailable; publishing starts when it is available'),
    );
  return {
    publish: (parcels) => publisher.publish(settings.queue, parcels.flatMap(toEnvelopes)),
    close: publisher.close,
  };
}

/** A single event is sent as a plain CloudEvent, so that its properties are readable in the queue. */
function toEnvelopes(parcel: Parcel): Envelope[] {
  const isParcel = parcel.eventCount > 1 && parcel.bytes.length <= MAX_PARCEL_BYTES;
  return isParcel ? [sealed(parcel)] : unpackParcel(parcel).map(toEnvelope);
}

/** This id is only for the transport: it differs if the parcel is published again. Each event in the parcel has its own id. */
function sealed({ bytes }: Parcel): Envelope {
  const content = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const properties = {
    messageId: randomUUID(),
    type: PARCEL_TYPE,
    contentType: 'application/protobuf',
    headers: {},
  };
  return { content, properties };
}

/** Returns the events of a message, each as if it were sent alone. Throws for a parcel that cannot be decoded. */
export function eventsOf(message: Envelope): Envelope[] {
  if (message.properties.type !== PARCEL_TYPE) return [message];
  return unpackParcel({ bytes: message.content }).map(toEnvelope);
}

function toEnvelope({ id, key, type, headers, payload }: OutgoingMessage): Envelope {
  const contentType = headers['content-type'] ?? 'application/octet-stream';
  return { content: payload, properties: { messageId: id, type, correlationId: key, contentType, headers } };
}

export interface Envelope {
  content: Buffer;
  properties: AmqpProperties & { headers: Record<string, unknown> };
}

export interface ConfirmedPublisher {
  open(): Promise<void>;
  publish(routingKey: string, envelopes: readonly Envelope[]): Promise<void>;
  close(): Promise<void>;
}

/**
 * Keeps one link to the broker. After any error the link is dropped, and the next publish opens a new one and asserts the
 * topology.
 */
export function createConfirmedPublisher(settings: QueueSettings, log: Logger): ConfirmedPublisher {
  let link: Promise<Link> | undefined;

  function useLink(): Promise<Link> {
    if (link === undefined) {
      const opened = openLink(settings, log, () => forget(opened)).catch((error) => {
        forget(opened);
        throw error;
      });
      link = opened;
    }
    return link;
  }

  /** A link may break after the next one was opened. That one must stay, or nothing would ever close it. */
  function forget(broken: Promise<Link>): void {
    if (link === broken) link = undefined;
  }

  return {
    open: async () => void (await useLink()),
    async publish(routingKey, envelopes) {
      const opened = useLink();
      const current = await opened;
      const results = await Promise.allSettled(
        envelopes.map((envelope) => current.send(routingKey, envelope)),
      );
      const failures = results.filter((result) => result.status === 'rejected');
      const [first] = failures;
      if (first === undefined) return;
      if (first.reason instanceof UnroutableError) {
        log.error({ err: first.reason, unroutable: failures.length }, 'rabbitmq returned messages');
      }
      // After any error, the next publish opens a new link and asserts the queues.
      forget(opened);
      await current.close();
      throw first.reason;
    },
    async close() {
      const current = await link?.catch(() => undefined);
      link = undefined;
      await current?.close();
    },
  };
}

/** This channel only publishes. RabbitMQ closes it with this code if a message is larger than `max_message_size`. */
const PRECONDITION_FAILED = 406;

function isRefusal(error: Error | undefined): error is Error {
  return (error as { code?: unknown } | undefined)?.code === PRECONDITION_FAILED;
}

interface Link {
  send(routingKey: string, envelope: Envelope): Promise<void>;
  close(): Promise<void>;
}

async function openLink(settings: QueueSettings, log: Logger, onBroken: () => void): Promise<Link> {
  const connection = await connectWithTopology(settings);
  connection.on('error', (error) => log.warn({ err: error }, 'the connection to rabbitmq broke'));
  connection.on('close', onBroken);
  connection.on('blocked', (reason) =>
    log.warn({ reason }, 'rabbitmq is short of resources and accepts no messages'),
  );
  connection.on('unblocked', () => log.info('rabbitmq accepts messages again'));
  const channel = await openConfirmChannel(connection);
  let channelError: Error | undefined;
  channel.on('error', (error) => {
    channelError = error;
    log.warn({ err: error }, 'the channel to rabbitmq broke');
  });
  channel.on('close', onBroken);

  // The broker returns an unroutable message before it confirms it.
  const returned = new Set<string | undefined>();
  channel.on('return', (message) => returned.add(message.properties.messageId));

  function send(routingKey: string, { content, properties }: Envelope): Promise<void> {
    const options = { ...properties, persistent: true, mandatory: true };
    const confirmed = new Promise<void>((resolve, reject) => {
      channel.publish('', routingKey, content, options, (error) => {
        if (error) reject(isRefusal(channelError) ? new RefusedError(channelError.message) : error);
        else if (returned.delete(properties.messageId)) reject(new UnroutableError(routingKey));
        else resolve();
      });
    });
    return inTime(confirmed, CONFIRM_MS, () => {
      throw new Error(`RabbitMQ did not confirm within ${CONFIRM_MS} ms.`);
    });
  }

  return { send, close: () => closeConnection(connection) };
}

/** Rascal asserts exchanges and queues, and keeps one plain connection open. */
export async function connectWithTopology(settings: QueueSettings): Promise<AmqpConnection> {
  const broker = await createBroker(rascalConfig(settings));
  broker.on('error', () => {});
  try {
    return await broker.connect(VHOST);
  } finally {
    await broker.shutdown();
  }
}

export function openConfirmChannel(connection: AmqpConnection): Promise<ConfirmChannel> {
  return new Promise((resolve, reject) => {
    connection.createConfirmChannel((error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

export function closeConnection(connection: AmqpConnection): Promise<void> {
  return new Promise((resolve) => {
    try {
      connection.close(() => resolve());
    } catch {
      // The connection was already closed.
      resolve();
    }
  });
}
