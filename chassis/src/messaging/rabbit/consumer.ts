/**
 * Consumes a work queue through Rascal. A message is an event or a parcel of events. A batcher collects events and applies them
 * together. A message is acknowledged when each of its events is applied or stored in the dead-letter queue.
 *
 * Retries run here, while the messages stay unacknowledged. Requeuing them would use up the queue's delivery limit, which is for
 * messages that kill their consumer.
 */
import { type Claim, createApply, type Delivery, StoppedError } from '../../batching/apply-batch.ts';
import { createBatcher } from '../../batching/batcher.ts';
import { backoffMs, sleep } from '../../process/backoff.ts';
import { inTime } from '../../process/in-time.ts';
import { createOutage, type Outage } from '../../process/outage.ts';
import type { Logger } from '../../telemetry/log.ts';
import type { EventMessage } from '../cloud-events.ts';
import { type Lag, measureLag } from '../consumer-metrics.ts';
import { DEAD_LETTER_HEADERS, describeError, withoutDeadLetterHeaders } from '../dead-letters.ts';
import { processSpans } from '../message-spans.ts';
import { createDepthProbe } from './depth-probe.ts';
import {
  type ConfirmedPublisher,
  createConfirmedPublisher,
  deadLetterQueueOf,
  type Envelope,
  eventsOf,
  type QueueSettings,
  rascalConfig,
} from './publisher.ts';
import { type AckOrNack, createBroker, type RascalBroker, type RascalMessage } from './rascal.ts';

export interface QueueConsumerSettings extends QueueSettings {
  /** The maximum number of unacknowledged messages of this instance. Default 100. */
  prefetch?: number;
  /**
   * Milliseconds for which a message may stay unacknowledged. After that it is sent again as a new message. Default 20 minutes, as
   * RabbitMQ takes messages back after 30 (`consumer_timeout`), and counts that as a delivery.
   */
  holdMs?: number;
}

export interface QueueHandlers<T> {
  /** Throws for a message that cannot be decoded: it becomes a dead letter at once. */
  decode(message: EventMessage): T;
  /** Applies all items in one idempotent transaction. */
  apply(items: T[]): Promise<void>;
}

export interface QueueConsumer {
  /** The messages that wait in the queue or are held by this instance, and the age of the oldest. */
  lagAndAge(): Promise<Lag>;
  /** The reason why no message is consumed at present, if there is one. */
  problem(): string | undefined;
  /** Accepts no new messages, and finishes and acknowledges the accepted ones. */
  stop(): Promise<void>;
}

/** Shorter than the limit of a whole shutdown, in which other parts stop too. */
const CLOSE_MS = 4_000;
const HOLD_MS = 20 * 60_000;
/** A transaction costs the same for any number of messages. So at most ten start per second, unless the batches are full. */
const PACE_MS = 100;
/** The maximum number of events in one `apply`. */
const MAX_BATCH = 500;

/**
 * Starts in the background. While the broker is unavailable, it retries. Later, Rascal itself reconnects and subscribes again.
 */
export async function consumeQueue<T>(
  settings: QueueConsumerSettings,
  { decode, apply }: QueueHandlers<T>,
  parentLog: Logger,
): Promise<QueueConsumer> {
  const { queue, prefetch = 100, holdMs = HOLD_MS } = settings;
  const log = parentLog.child({ queue });
  const stopping = new AbortController();
  const publisher = createConfirmedPublisher(settings, log);
  const { flush, storeUndecodable, aside, problem } = createApply<Envelope, T>(
    {
      apply,
      source: queue,
      deadLetter: deadLetterTo(publisher, settings, log),
      traceparentOf,
      stopping: stopping.signal,
    },
    log,
  );
  const depth = createDepthProbe(settings);
  /** The messages that the broker has given to this instance, each with its time. The broker does not count them as waiting. */
  const held = new Map<Claim, number>();
  let quietSince = Date.now();
  async function lagAndAge(): Promise<Lag> {
    const waitingCount = await depth.read();
    if (waitingCount === 0 || held.size > 0) quietSince = Date.now();
    const oldest = Math.min(quietSince, ...held.values());
    return { messages: waitingCount + held.size, seconds: (Date.now() - oldest) / 1_000 };
  }
  measureLag(queue, lagAndAge);
  const batcher = createBatcher<Delivery<Envelope, T>, void>({
    name: queue,
    span: processSpans<Envelope>({ system: 'rabbitmq', destination: queue }, traceparentOf),
    maxSize: MAX_BATCH,
    paceMs: PACE_MS,
    flush,
    aside,
  });

  function consumeEvent(message: Envelope, claim: Claim): Promise<void> {
    let value: T;
    try {
      value = decode(toEventMessage(message));
    } catch (error) {
      return storeUndecodable(message, error);
    }
    return batcher.submit({ message, value, claim });
  }

  async function consumeMessage(message: Envelope, claim: Claim): Promise<void> {
    let events: Envelope[];
    try {
      events = eventsOf(message);
    } catch (error) {
      return storeUndecodable(message, error);
    }
    held.set(claim, timeOf(events[0]));
    await Promise.all(events.map((event) => consumeEvent(event, claim)));
  }

  async function receive(message: RascalMessage, ackOrNack: AckOrNack): Promise<void> {
    const claim = { lost: false };
    held.set(claim, Date.now());
    try {
      await inTime(consumeMessage(message, claim), holdMs, () => {
        claim.lost = true;
        throw new HeldTooLongError();
      });
      ackOrNack();
    } catch (error) {
      await putBack(message, error as Error, ackOrNack);
    } finally {
      held.delete(claim);
    }
  }

  /**
   * At shutdown and in a long outage, sends the message again and acknowledges it. A requeued message counts as one delivery more,
   * so that a few restarts would use up the delivery limit. The limit is for messages that kill their consumer.
   */
  async function putBack(message: RascalMessage, error: Error, ackOrNack: AckOrNack): Promise<void> {
    try {
      if (!(error instanceof StoppedError || error instanceof HeldTooLongError)) throw error;
      await publisher.publish(queue, [withoutHistory(message)]);
      ackOrNack();
    } catch (failure) {
      log.error({ err: failure }, 'a message is requeued');
      ackOrNack(error, { strategy: 'nack', requeue: true });
    }
  }

  const outage = createOutage();
  const running = subscribeWithRetries(
    settings,
    { prefetch, receive, storeUndecodable, outage },
    stopping.signal,
    log,
  );
  return {
    lagAndAge,
    problem: () => problem() ?? (outage.isLong() ? 'rabbitmq is unavailable' : undefined),
    async stop() {
      stopping.abort();
      const broker = await running;
      // Waits until all messages are consumed. After the timeout they return to the queue.
      await broker
        ?.shutdown()
        .catch((error) => log.warn({ err: error }, 'messages were not consumed before the shutdown'));
      await Promise.all([publisher.close(), depth.close()]);
    },
  };
}

/** The message could not be applied for so long that RabbitMQ would soon take it back. */
class HeldTooLongError extends Error {
  override readonly name = 'HeldTooLongError';
}

interface Receiver {
  prefetch: number;
  receive(message: RascalMessage, ackOrNack: AckOrNack): Promise<void>;
  storeUndecodable(message: Envelope, error: unknown): Promise<void>;
  /** Lasts until the queue is subscribed. */
  outage: Outage;
}

async function subscribeWithRetries(
  settings: QueueConsumerSettings,
  receiver: Receiver,
  stopping: AbortSignal,
  log: Logger,
): Promise<RascalBroker | undefined> {
  const { queue } = settings;
  receiver.outage.begin();
  const subscription = {
    queue,
    vhost: '/',
    prefetch: receiver.prefetch,
    // The content stays a Buffer, also if its content type is text or JSON.
    contentType: 'application/octet-stream',
    closeTimeout: CLOSE_MS,
    retry: { min: 200, max: 2_000, factor: 2, strategy: 'exponential' },
  };
  for (let attempt = 0; !stopping.aborted; attempt += 1) {
    try {
      const broker = await createBroker({
        ...rascalConfig(settings),
        subscriptions: { [queue]: subscription },
      });
      logStateOf(broker, receiver.outage, log);
      await subscribe(broker, queue, receiver, log);
      return broker;
    } catch (error) {
      if (attempt === 0) log.warn({ err: error }, 'rabbitmq is unavailable; retrying until consuming starts');
      await sleep(backoffMs(attempt), stopping);
    }
  }
  return undefined;
}

async function subscribe(
  broker: RascalBroker,
  queue: string,
  { receive, storeUndecodable, outage }: Receiver,
  log: Logger,
): Promise<void> {
  const subscription = await broker.subscribe(queue);
  const deadLetterUnread = (error: Error, message: RascalMessage, ackOrNack: AckOrNack) => {
    storeUndecodable(message, error).then(
      () => ackOrNack(),
      (storeError) => ackOrNack(storeError, { strategy: 'nack', requeue: true }),
    );
  };
  subscription
    .on('invalid_content', deadLetterUnread)
    .on('redeliveries_exceeded', deadLetterUnread)
    .on('redeliveries_error', deadLetterUnread)
    .on('error', (error) => log.debug({ err: error }, 'the subscription broke; rascal renews it'))
    .on('cancelled', (error) =>
      log.warn({ err: error }, 'the broker cancelled the subscription; rascal renews it'),
    )
    .on('subscribed', () => {
      outage.end();
      log.info('consuming');
    })
    .on('message', (message, _, ackOrNack) => void receive(message, ackOrNack));
}

/** Rascal emits an error for every attempt to reconnect. Only the change of state is logged. */
function logStateOf(broker: RascalBroker, outage: Outage, log: Logger): void {
  let isUnavailable = false;
  broker
    .on('error', (error) => {
      log[isUnavailable ? 'debug' : 'warn']({ err: error }, 'rabbitmq is unavailable; reconnecting');
      isUnavailable = true;
    })
    .on('disconnect', () => outage.begin())
    .on('vhost_initialised', () => {
      if (isUnavailable) log.info('rabbitmq is available again');
      isUnavailable = false;
      outage.end();
    })
    .on('blocked', (reason) => log.warn({ reason }, 'rabbitmq is short of resources'))
    .on('unblocked', () => log.info('rabbitmq has resources again'));
}

function toEventMessage({ properties, content }: Envelope): EventMessage {
  const { messageId: id, type, correlationId: key = '' } = properties;
  if (!id || !type) throw new Error('The properties messageId and type are missing.');
  const texts = Object.entries(properties.headers).filter((entry): entry is [string, string] => {
    return typeof entry[1] === 'string';
  });
  const headers = Object.fromEntries(texts);
  return { id, type, key, headers, payload: content };
}

/** When the event happened, in milliseconds since 1970. Now, if it does not say. */
function timeOf(event: Envelope | undefined): number {
  return Date.parse(String(event?.properties.headers.ce_time)) || Date.now();
}

function traceparentOf({ properties: { headers } }: Envelope): string | undefined {
  return typeof headers.traceparent === 'string' ? headers.traceparent : undefined;
}

function deadLetterTo(publisher: ConfirmedPublisher, settings: QueueSettings, log: Logger) {
  const { queue } = settings;
  const deadLetterQueue = deadLetterQueueOf(settings);
  return async (message: Envelope, reason: string, error: unknown): Promise<void> => {
    const { properties, content } = withoutHistory(message);
    const headers = {
      ...properties.headers,
      [DEAD_LETTER_HEADERS.reason]: reason,
      [DEAD_LETTER_HEADERS.error]: describeError(error),
      [DEAD_LETTER_HEADERS.queue]: queue,
      [DEAD_LETTER_HEADERS.time]: new Date().toISOString(),
    };
    await publisher.publish(deadLetterQueue, [{ content, properties: { ...properties, headers } }]);
    log.error({ err: error, reason, messageId: properties.messageId, deadLetterQueue }, 'dead letter');
  };
}

/** Returns the message as it was first sent: without the headers of earlier deliveries, and without Rascal's own. */
function withoutHistory({ content, properties }: Envelope): Envelope {
  const { rascal: _, ...headers } = withoutDeadLetterHeaders(properties.headers);
  return { content, properties: { ...properties, headers } };
}
