/**
 * The dead letters of a queue. They stay in `<queue>.dlq` until they are sent back: a list takes them, reads them, and returns them by
 * closing the channel. Each is sent back once, in its original form.
 */
import { createHash } from 'node:crypto';
import { deadLetterId } from '@payflowx/proto/dead-letters';
import { inTime } from '../../process/in-time.ts';
import type { Logger } from '../../telemetry/log.ts';
import {
  byNewestFailure,
  type DeadLetter,
  DeadLetterError,
  type DeadLetterSource,
  failureOf,
  MAX_REDRIVEN,
  type RedriveQuery,
} from '../dead-letter-source.ts';
import { DEAD_LETTER_HEADERS, withoutDeadLetterHeaders } from '../dead-letters.ts';
import {
  type ConfirmedPublisher,
  closeConnection,
  connectWithTopology,
  createConfirmedPublisher,
  deadLetterQueueOf,
  openConfirmChannel,
  type QueueSettings,
} from './publisher.ts';
import type { ConfirmChannel, RascalMessage } from './rascal.ts';

/** A list holds so many messages, and bytes, in memory. */
const MAX_TAKEN = 1_000;
const MAX_TAKEN_BYTES = 32 * 1024 * 1024;
/**
 * RabbitMQ counts each return of a message, and from version 4 on drops it at 20. So a message with this count is sent to the
 * dead-letter queue again as a new one.
 * https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling
 */
const MAX_RETURNS = 10;
/** Callers wait for a list, and the lists after it wait too. */
const ANSWER_MS = 2_000;

/** Lists the oldest 1,000 messages of `<queue>.dlq`, and sends them back to the queue. */
export function deadLetterQueue(
  { name, ...settings }: QueueSettings & Pick<DeadLetterSource, 'name'>,
  log: Logger,
): DeadLetterSource {
  let last: Promise<unknown> = Promise.resolve();

  /** One at a time: a second reader would not see the messages that the first one holds. */
  function withLetters<T>(work: (letters: Letter[], link: Link) => Promise<T>): Promise<T> {
    const done = last.then(() => takeLetters(settings, name, log, work)).catch(asUnavailable(log));
    last = done.catch(() => undefined);
    return done;
  }

  return {
    name,
    list: ({ reason, after, limit }) =>
      withLetters(async (letters) =>
        distinct(letters.map(({ letter }) => letter))
          .filter((letter) => reason === undefined || letter.reason === reason)
          .sort(byNewestFailure)
          .filter((letter) => after === undefined || byNewestFailure(after, letter) < 0)
          .slice(0, limit),
      ),
    find: (id) => withLetters(async (letters) => letters.find(({ letter }) => letter.id === id)?.letter),
    count() {
      // In the same line as the lists: a list holds the messages, and the broker does not count them meanwhile.
      const counted = last
        .then(() =>
          withLink(settings, log, ({ channel }) => messageCount(channel, deadLetterQueueOf(settings))),
        )
        .catch(asUnavailable(log));
      last = counted.catch(() => undefined);
      return counted;
    },
    redrive: (query, announce) =>
      withLetters(async (letters, { channel, publisher }) => {
        const wanted = letters.filter(({ letter }) => isWanted(letter, query)).slice(0, MAX_REDRIVEN);
        if (wanted.length > 0) await announce?.();
        for (const { message } of wanted) await sendBack(settings.queue, message, channel, publisher);
        log.info({ queue: settings.queue, redriven: wanted.length }, 'dead letters sent back');
        return wanted.length;
      }),
  };
}

function isWanted(letter: DeadLetter, { id, reason }: RedriveQuery): boolean {
  return (id === undefined || letter.id === id) && (reason === undefined || letter.reason === reason);
}

/** Equal copies of one message have one id. */
function distinct(letters: DeadLetter[]): DeadLetter[] {
  return [...new Map(letters.map((letter) => [letter.id, letter])).values()];
}

interface Letter {
  letter: DeadLetter;
  message: RascalMessage;
}

interface Link {
  channel: ConfirmChannel;
  publisher: ConfirmedPublisher;
}

/** Messages that `work` does not acknowledge return to the queue, in their order. */
async function takeLetters<T>(
  settings: QueueSettings,
  name: DeadLetterSource['name'],
  log: Logger,
  work: (letters: Letter[], link: Link) => Promise<T>,
): Promise<T> {
  const deadLetterQueue = deadLetterQueueOf(settings);
  return withLink(settings, log, async (link) => {
    await requirePublishing(link.channel);
    const letters: Letter[] = [];
    let bytes = 0;
    while (letters.length < MAX_TAKEN && bytes < MAX_TAKEN_BYTES) {
      const message = await nextMessage(link.channel, deadLetterQueue);
      if (message === false) break;
      bytes += message.content.length;
      letters.push({ letter: letterOf(name, message), message });
    }
    const result = await work(letters, link);
    for (const { letter, message } of letters.filter(isWornOut))
      await renew(deadLetterQueue, letter, message, link);
    return result;
  });
}

/** No queue has this name, so the broker confirms the message and stores nothing. */
const NO_QUEUE = 'payflowx.no-queue';

/**
 * While the broker blocks publishers, no message could be renewed, and every list would bring all of them nearer to their end. It
 * blocks a connection after its first message, so only the second confirmation proves anything.
 */
async function requirePublishing(channel: ConfirmChannel): Promise<void> {
  for (const _ of ['first', 'second']) await unlessBlocked(publishNothing(channel));
}

function publishNothing(channel: ConfirmChannel): Promise<void> {
  const options = { headers: {}, persistent: false, mandatory: false };
  return new Promise((resolve, reject) => {
    channel.publish('', NO_QUEUE, Buffer.alloc(0), options, (error) => (error ? reject(error) : resolve()));
  });
}

/** A broker that blocks publishers does not answer on their connections. */
function unlessBlocked<T>(answer: Promise<T>): Promise<T> {
  return inTime(answer, ANSWER_MS, () => {
    throw new Error(`RabbitMQ did not answer within ${ANSWER_MS} ms: it may accept no messages.`);
  });
}

async function withLink<T>(
  settings: QueueSettings,
  log: Logger,
  work: (link: Link) => Promise<T>,
): Promise<T> {
  const publisher = createConfirmedPublisher(settings, log);
  const connection = await connectWithTopology(settings);
  connection.on('error', (error) => log.warn({ err: error }, 'the connection to rabbitmq broke'));
  try {
    const channel = await unlessBlocked(openConfirmChannel(connection));
    channel.on('error', (error) => log.warn({ err: error }, 'the channel to rabbitmq broke'));
    const result = await work({ channel, publisher });
    // The broker has processed every acknowledgement when it has closed the channel.
    await new Promise((resolve) => channel.close(resolve));
    return result;
  } finally {
    await closeConnection(connection);
    await publisher.close();
  }
}

/** The message is removed after the original queue has confirmed it. */
async function sendBack(
  queue: string,
  message: RascalMessage,
  channel: ConfirmChannel,
  publisher: ConfirmedPublisher,
): Promise<void> {
  const headers = withoutDeadLetterHeaders(message.properties.headers);
  await publisher.publish(queue, [
    { content: message.content, properties: { ...message.properties, headers } },
  ]);
  channel.ack(message);
  acknowledged.add(message);
}

const acknowledged = new WeakSet<RascalMessage>();

function isWornOut({ message }: Letter): boolean {
  const returns = Number(message.properties.headers['x-delivery-count'] ?? 0);
  return returns >= MAX_RETURNS && !acknowledged.has(message);
}

async function renew(
  deadLetterQueue: string,
  { reason, error, failedAt }: DeadLetter,
  message: RascalMessage,
  { channel, publisher }: Link,
): Promise<void> {
  const headers = {
    ...withoutDeadLetterHeaders(message.properties.headers),
    [DEAD_LETTER_HEADERS.reason]: reason,
    [DEAD_LETTER_HEADERS.error]: error,
    [DEAD_LETTER_HEADERS.time]: failedAt.toISOString(),
  };
  const { content, properties } = message;
  await publisher.publish(deadLetterQueue, [{ content, properties: { ...properties, headers } }]);
  channel.ack(message);
}

function nextMessage(channel: ConfirmChannel, queue: string): Promise<RascalMessage | false> {
  return new Promise((resolve, reject) => {
    channel.get(queue, { noAck: false }, (error, message) => (error ? reject(error) : resolve(message)));
  });
}

function letterOf(source: DeadLetterSource['name'], { content, properties }: RascalMessage): DeadLetter {
  const headers = textsOf(properties.headers);
  const failure = failureOf(headers);
  const byBroker = brokersFailure(properties.headers);
  const reason = failure.failedAt === undefined ? byBroker.reason : failure.reason;
  const failedAt = failure.failedAt ?? byBroker.failedAt;
  const { messageId = '', type = '', correlationId = '' } = properties;
  const digest = createHash('sha256')
    .update(JSON.stringify([messageId, reason, failedAt]))
    .update(content)
    .digest('hex');
  return {
    id: deadLetterId(source, digest),
    source,
    reason,
    error: failure.error || byBroker.error,
    eventId: messageId,
    eventType: type,
    key: correlationId,
    failedAt,
    headers,
    payload: content,
  };
}

/** A message that its consumer did not give up itself has the broker's history. */
function brokersFailure(headers: Record<string, unknown>): Pick<DeadLetter, 'reason' | 'error' | 'failedAt'> {
  const [death] = (headers['x-death'] ?? []) as { reason?: string; time?: { value?: number } }[];
  const failedAt = new Date(Number(death?.time?.value ?? 0) * 1_000);
  if (death?.reason !== 'delivery_limit') return { reason: 'UNKNOWN', error: '', failedAt };
  const error = 'It was delivered too often without an acknowledgement.';
  return { reason: 'DELIVERY_LIMIT', error, failedAt };
}

function textsOf(headers: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}

function asUnavailable(log: Logger) {
  return (cause: unknown): never => {
    log.warn({ err: cause }, 'the dead letters of a queue cannot be read');
    throw new DeadLetterError('BROKER_UNAVAILABLE', 'RabbitMQ is unavailable.', { cause });
  };
}

/**
 * Redrives the current messages of the dead-letter queue, for the command. Messages that fail again meanwhile stay there. Returns
 * their number.
 */
export async function redriveDeadLetterQueue(settings: QueueSettings, log: Logger): Promise<number> {
  const deadLetterQueue = deadLetterQueueOf(settings);
  return withLink(settings, log, async ({ channel, publisher }) => {
    const waiting = await messageCount(channel, deadLetterQueue);
    let redriven = 0;
    for (; redriven < waiting; redriven += 1) {
      const message = await nextMessage(channel, deadLetterQueue);
      if (message === false) break;
      await sendBack(settings.queue, message, channel, publisher);
    }
    log.info({ queue: settings.queue, redriven }, 'dead letters sent back');
    return redriven;
  });
}

function messageCount(channel: ConfirmChannel, queue: string): Promise<number> {
  return new Promise((resolve, reject) => {
    channel.checkQueue(queue, (error, found) => (error ? reject(error) : resolve(found.messageCount)));
  });
}
