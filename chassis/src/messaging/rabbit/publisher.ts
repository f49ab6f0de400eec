/**
 * A work queue on RabbitMQ and its publisher. Rascal asserts the topology and consumes. Publishing uses one confirm channel on a
 * connection that Rascal opens. Rascal's own publications use one channel each until they are confirmed, without order or
 * pipelining.
 */
import { randomUUID } from 'node:crypto';
import { TlsOptions } from '../../process/authorities.ts';
import type { RabbitConnection } from '../../process/connections.ts';
import { inTime } from '../../process/in-time.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { EventMessage } from '../cloud-events.ts';
import { type Parcel, unpackParcel } from '../parcel.ts';
import { RefusedError } from '../refused.ts';
import { type AmqpConnection, type AmqpProperties, type ConfirmChannel, createBroker } from './rascal.ts';

export interface QueueSettings extends RabbitConnection {
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

/**
 * The exchange of the queue has its name, and sends it everything that has the queue's name as its routing key. A service that may publish
 * there only cannot reach another queue. The default exchange leads to every queue.
 */
export const exchangeOf = ({ queue }: QueueSettings) => queue;

/**
 * Consumers assert this topology, and publishers do if they find no exchange. The first one creates it, and the broker refuses a
 * different one.
 */
export function rascalConfig(settings: QueueSettings): RascalConfig {
  const { queue, deliveryLimit = 5 } = settings;
  const deadLetterQueue = deadLetterQueueOf(settings);
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
  const exchange = exchangeOf(settings);
  return connecting(settings, {
    exchanges: { [exchange]: { type: 'direct', options: { durable: true } } },
    queues: {
      [deadLetterQueue]: { options: { durable: true, arguments: { 'x-queue-type': 'quorum' } } },
      [queue]: { options: { durable: true, arguments: work } },
    },
    bindings: { [queue]: { source: exchange, destination: queue, bindingKey: queue } },
  });
}

interface Topology {
  exchanges?: Record<string, { type: 'direct'; options: { durable: true } }>;
  queues?: Record<string, { options: { durable: true; arguments: Record<string, string | number> } }>;
  bindings?: Record<string, { source: string; destination: string; bindingKey: string }>;
}

interface RascalConfig {
  vhosts: Record<string, Topology>;
  defaults: object;
}

function connecting({ url, tls }: RabbitConnection, topology: Topology): RascalConfig {
  const socketOptions = new TlsOptions(tls ?? {}, { timeout: 5_000, keepAlive: true });
  const connection = { url, options: { heartbeat: 10 }, socketOptions };
  return {
    // Rascal reads the retry settings of a connection only here. Its own default waits up to a minute.
    defaults: {
      vhosts: { connection: { retry: { min: 200, max: 2_000, factor: 2, strategy: 'exponential' } } },
    },
    vhosts: { [VHOST]: { connection, ...topology } as Topology },
  };
}

export async function connectRabbitPublisher(settings: QueueSettings, log: Logger): Promise<RabbitPublisher> {
  const publisher = createConfirmedPublisher(settings, log, exchangeOf(settings));
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

function toEnvelope({ id, key, type, headers, payload }: EventMessage): Envelope {
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

/** The default exchange delivers to the queue that the routing key names. Only the owners of a queue may use it. */
const DEFAULT_EXCHANGE = '';

/**
 * Keeps one link to the broker. After any error the link is dropped, and the next publish opens a new one. That asserts the topology, if
 * the exchange is the default one, or missing, or has lost its queue.
 */
export function createConfirmedPublisher(
  settings: QueueSettings,
  log: Logger,
  exchange = DEFAULT_EXCHANGE,
): ConfirmedPublisher {
  let link: Promise<Link> | undefined;
  let isIncomplete = exchange === DEFAULT_EXCHANGE;

  function useLink(): Promise<Link> {
    if (link === undefined) {
      const order = { settings, log, exchange, isIncomplete };
      const opened = openLink(order, () => forget(opened)).catch((error) => {
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
        isIncomplete = true;
      }
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

interface LinkOrder {
  settings: QueueSettings;
  log: Logger;
  exchange: string;
  /** The topology is to be asserted. */
  isIncomplete: boolean;
}

async function openLink(order: LinkOrder, onBroken: () => void): Promise<Link> {
  const { log, exchange } = order;
  const connection = await connectToPublish(order);
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
      channel.publish(exchange, routingKey, content, options, (error) => {
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

/**
 * A publisher may only be allowed to publish. So it asserts the topology only if the exchange is missing: then it needs more rights, or
 * waits until the consumer has created it.
 */
async function connectToPublish({ settings, exchange, isIncomplete }: LinkOrder): Promise<AmqpConnection> {
  if (isIncomplete) return connectWithTopology(settings);
  const connection = await connectPlainly(connecting(settings, {}));
  if (await hasExchange(connection, exchange)) return connection;
  await closeConnection(connection);
  return connectWithTopology(settings);
}

async function hasExchange(connection: AmqpConnection, exchange: string): Promise<boolean> {
  const channel = await openConfirmChannel(connection);
  const isThere = await new Promise<boolean>((resolve) => {
    // RabbitMQ closes the channel if there is none.
    channel.on('error', () => resolve(false));
    channel.checkExchange(exchange, (error) => resolve(error === null));
  });
  if (isThere) await new Promise<void>((resolve) => channel.close(() => resolve()));
  return isThere;
}

export function connectWithTopology(settings: QueueSettings): Promise<AmqpConnection> {
  return connectPlainly(rascalConfig(settings));
}

/** Rascal asserts exchanges and queues, and keeps one plain connection open. */
async function connectPlainly(config: RascalConfig): Promise<AmqpConnection> {
  const broker = await createBroker(config);
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

/** A broker that blocks publishers does not answer. It closes the connection when it accepts messages again. */
const CLOSE_MS = 2_000;

export function closeConnection(connection: AmqpConnection): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    try {
      connection.close(() => resolve());
    } catch {
      // The connection was already closed.
      resolve();
    }
  });
  return inTime(closed, CLOSE_MS, () => undefined);
}
