/** Queues and messages for the tests of messaging. Their names are unique, so that tests do not affect each other. */
import { randomUUID } from 'node:crypto';
import { cloudEventMessage, type EventMessage, type OutgoingEvent } from '../src/messaging/cloud-events.ts';
import { type Parcel, packParcel } from '../src/messaging/parcel.ts';
import { closeConnection, openConfirmChannel } from '../src/messaging/rabbit/publisher.ts';
import { createBroker, type RascalMessage } from '../src/messaging/rabbit/rascal.ts';
import type { RabbitConnection } from '../src/process/connections.ts';

export const unique = (name: string) => `test-${name}-${randomUUID().slice(0, 8)}`;

export function event(text: string, key = 'k', id = `evt_${randomUUID()}`): OutgoingEvent {
  return {
    id,
    key,
    type: 'test.happened',
    source: '/payflowx/test',
    time: new Date(),
    payload: Buffer.from(text),
  };
}

export const message = (...given: Parameters<typeof event>): EventMessage =>
  cloudEventMessage(event(...given));

/** Each text as an event, each event in its own parcel. */
export const alone = (texts: readonly string[]): Parcel[] => texts.map((text) => packParcel([event(text)]));

/** All events in one parcel. */
export const together = (texts: readonly string[]): Parcel[] => [
  packParcel(texts.map((text) => event(text))),
];

export interface QueueTap {
  count(queue: string): Promise<number>;
  /** Reads the first messages of a queue, and requeues them. */
  peek(queue: string, count: number): Promise<RascalMessage[]>;
  drop(...queues: string[]): Promise<void>;
  /** Creates a queue that is not as our publishers and consumers declare it, so that the broker refuses their declaration. */
  createOther(queue: string): Promise<void>;
  /** Deletes a queue, its dead letters and its exchange. */
  dropAll(queue: string): Promise<void>;
}

/** Reads queues without our own consumer. */
export async function openQueues({ url, tls }: RabbitConnection): Promise<QueueTap> {
  const withChannel = async <T>(work: (channel: AdminChannel) => Promise<T>): Promise<T> => {
    const broker = await createBroker({
      vhosts: { '/': { connection: { url, socketOptions: { ...tls } } } },
    });
    const connection = await broker.connect('/');
    await broker.shutdown();
    try {
      return await work((await openConfirmChannel(connection)) as unknown as AdminChannel);
    } finally {
      await closeConnection(connection);
    }
  };
  return {
    count: (queue) =>
      withChannel(async (channel) => {
        const { messageCount } = await called<{ messageCount: number }>((done) =>
          channel.checkQueue(queue, done),
        );
        return messageCount;
      }),
    peek: (queue, count) =>
      withChannel(async (channel) => {
        const messages: RascalMessage[] = [];
        while (messages.length < count) messages.push(await called((done) => channel.get(queue, {}, done)));
        return messages;
      }),
    drop: (...queues) =>
      withChannel(async (channel) => {
        for (const queue of queues) await called((done) => channel.deleteQueue(queue, {}, done));
      }),
    createOther: (queue) =>
      withChannel(async (channel) => {
        await called((done) => channel.assertQueue(queue, { durable: true }, done));
      }),
    dropAll: (queue) =>
      withChannel(async (channel) => {
        for (const each of [queue, `${queue}.dlq`])
          await called((done) => channel.deleteQueue(each, {}, done));
        await called((done) => channel.deleteExchange(queue, {}, done));
      }),
  };
}

type Done<T> = (error: Error | null, value: T) => void;

interface AdminChannel {
  checkQueue(queue: string, done: Done<{ messageCount: number }>): void;
  get(queue: string, options: object, done: Done<RascalMessage>): void;
  assertQueue(queue: string, options: object, done: Done<unknown>): void;
  deleteQueue(queue: string, options: object, done: Done<unknown>): void;
  deleteExchange(exchange: string, options: object, done: Done<unknown>): void;
}

function called<T>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
}
