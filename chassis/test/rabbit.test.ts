import { spawn } from 'node:child_process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cloudEventMessage, type EventMessage } from '../src/messaging/cloud-events.ts';
import { packParcel } from '../src/messaging/parcel.ts';
import { consumeQueue, type QueueConsumer } from '../src/messaging/rabbit/consumer.ts';
import { deadLetterQueue, redriveDeadLetterQueue } from '../src/messaging/rabbit/dead-letter-queue.ts';
import {
  connectRabbitPublisher,
  type QueueSettings,
  type RabbitPublisher,
  UnroutableError,
} from '../src/messaging/rabbit/publisher.ts';
import { cuttingProxy, eventually, testLog, testServers } from '../src/testing/index.ts';
import { alone, event, openQueues, type QueueTap, together, unique } from './messages.ts';

const numbers = (to: number) => Array.from({ length: to }, (_, n) => String(n));

let settings: QueueSettings & { deliveryLimit: number };
let publisher: RabbitPublisher;
let tap: QueueTap;
const consumers: QueueConsumer[] = [];

beforeEach(async () => {
  settings = { ...testServers.rabbit(), queue: unique('queue'), deliveryLimit: 2 };
  publisher = await connectRabbitPublisher(settings, testLog);
  tap = await openQueues(settings);
});
afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
  await publisher.close();
  await tap.dropAll(settings.queue);
});

async function consume(handle: {
  decode?(message: EventMessage): EventMessage;
  apply?(items: EventMessage[]): Promise<void>;
  prefetch?: number;
  holdMs?: number;
}) {
  const batches: EventMessage[][] = [];
  const consumer = await consumeQueue(
    { ...settings, prefetch: handle.prefetch ?? 200, ...(handle.holdMs && { holdMs: handle.holdMs }) },
    {
      decode: handle.decode ?? ((incoming) => incoming),
      async apply(items) {
        await handle.apply?.(items);
        batches.push(items);
      },
    },
    testLog,
  );
  consumers.push(consumer);
  const texts = () => batches.flat().map((item) => item.payload.toString());
  return { consumer, batches, texts };
}

it('delivers events with their fields and trace, in order, in at most ten batches a second', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const sent = numbers(500).map((n) => ({ ...event(n, `key-${n}`), traceparent }));
  const parcels = [sent.slice(0, 100).map((each) => packParcel([each])), packParcel(sent.slice(100))].flat();
  await publisher.publish(parcels);
  expect(await tap.count(settings.queue)).toBe(101);
  const startedAt = performance.now();
  const { texts, batches } = await consume({});
  await eventually(() => expect(texts()).toEqual(numbers(500)));
  expect(batches.length).toBeLessThanOrEqual(2 + (performance.now() - startedAt) / 100);
  expect(batches.flat()).toEqual(sent.map(cloudEventMessage));
  expect(batches[0]?.[0]?.headers).toMatchObject({ traceparent });
  await eventually(async () => expect(await tap.count(settings.queue)).toBe(0));
});

it('sends the events of a parcel that is too large one by one', async () => {
  await publisher.publish(together(['a', 'b', 'c'].map((letter) => letter.repeat(100_000))));
  expect(await tap.count(settings.queue)).toBe(3);
});

it.each([
  ['an event', alone(['lost?'])],
  ['a parcel', together(['lost?', 'too?'])],
])('notices that no queue accepts %s, and creates the deleted queue again', async (_, parcels) => {
  await tap.drop(settings.queue);
  await expect(publisher.publish(parcels)).rejects.toThrow(UnroutableError);
  await publisher.publish(parcels);
  expect(await tap.count(settings.queue)).toBe(1);
});

it('acknowledges only after the transaction: messages that a stopped consumer had not applied are redelivered', async () => {
  await publisher.publish([...alone(numbers(3)), ...together(['a', 'b'])]);
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  let attempts = 0;
  const first = await consume({
    apply: () => {
      attempts += 1;
      return Promise.reject(away);
    },
  });
  // Far beyond the delivery limit: the retries run while the messages are unacknowledged.
  await eventually(() => expect(attempts).toBeGreaterThan(4));
  consumers.length = 0;
  await first.consumer.stop();
  await eventually(async () => expect(await tap.count(settings.queue)).toBe(4));
  const returned = await tap.peek(settings.queue, 4);
  // So no number of restarts reaches the delivery limit.
  expect(returned.map(({ properties: { headers } }) => headers['x-delivery-count'])).toEqual([0, 0, 0, 0]);
  const second = await consume({});
  await eventually(() => expect(second.texts().toSorted()).toEqual([...numbers(3), 'a', 'b']));
});

it('in a long outage sends messages again before the broker takes them back, and they are applied afterwards', async () => {
  await publisher.publish([...alone(['a']), ...together(['b', 'c'])]);
  let isAway = true;
  let deliveries = 0;
  const { texts } = await consume({
    holdMs: 50,
    decode(incoming) {
      deliveries += 1;
      return incoming;
    },
    apply: async () => {
      if (isAway) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    },
  });
  // Three events, more often than the delivery limit allows.
  await eventually(() => expect(deliveries).toBeGreaterThan(3 * 2 * settings.deliveryLimit));
  isAway = false;
  await eventually(async () => {
    expect(new Set(texts())).toEqual(new Set(['a', 'b', 'c']));
    expect(await tap.count(settings.queue)).toBe(0);
  });
  expect(await tap.count(`${settings.queue}.dlq`)).toBe(0);
});

it('stops although the database does not answer, and leaves the messages in the queue', async () => {
  await publisher.publish(alone(['hung']));
  let isApplying = false;
  const { consumer } = await consume({
    apply: () => {
      isApplying = true;
      return new Promise(() => {});
    },
  });
  await eventually(() => expect(isApplying).toBe(true));
  consumers.length = 0;
  await consumer.stop();
  await eventually(async () => expect(await tap.count(settings.queue)).toBe(1));
});

it('keeps the next connection when the previous one closes after it was opened', async () => {
  const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  const before = sockets();
  const own = await connectRabbitPublisher(settings, testLog);
  await tap.drop(settings.queue);
  let isBroken = false;
  const broken = own.publish(alone(['lost?'])).catch(() => {
    isBroken = true;
  });
  // Some of these find the first connection given up, but not closed yet.
  const others: Promise<unknown>[] = [];
  while (!isBroken) {
    others.push(own.publish(alone(['next'])).catch(() => {}));
    await nextTurn();
  }
  await Promise.all([broken, ...others]);
  await own.publish(alone(['last']));
  await own.close();
  await eventually(() => expect(sockets()).toBe(before));
});

it.each([
  ['alone', alone],
  ['in one parcel', together],
])(
  'stores events that were sent %s as dead letters, does not block the rest, and redrives them after the repair',
  async (_, parcelled) => {
    let isRepaired = false;
    await publisher.publish(parcelled(['good-1', 'garbled', 'refused', 'good-2']));
    const { texts } = await consume({
      decode(incoming) {
        if (incoming.payload.toString() === 'garbled' && !isRepaired) throw new Error('This is no protobuf.');
        return incoming;
      },
      async apply(items) {
        const isRefused = items.some((item) => item.payload.toString() === 'refused');
        if (isRefused && !isRepaired) throw new Error('The rule says no.');
      },
    });
    await eventually(() => expect(texts()).toEqual(['good-1', 'good-2']));
    await eventually(async () => expect(await tap.count(`${settings.queue}.dlq`)).toBe(2));
    const letters = await tap.peek(`${settings.queue}.dlq`, 2);
    const facts = letters.map(({ content, properties: { headers } }) => [
      content.toString(),
      headers['dead-letter-reason'],
      headers['dead-letter-error'],
      headers.ce_type,
    ]);
    expect(facts).toContainEqual(['garbled', 'UNDECODABLE', 'Error: This is no protobuf.', 'test.happened']);
    expect(facts).toContainEqual(['refused', 'REJECTED', 'Error: The rule says no.', 'test.happened']);

    isRepaired = true;
    await eventually(async () => expect(await tap.count(`${settings.queue}.dlq`)).toBe(2));
    expect(await redriveDeadLetterQueue(settings, testLog)).toBe(2);
    await eventually(() => expect(texts()).toHaveLength(4));
    await eventually(async () => expect(await tap.count(`${settings.queue}.dlq`)).toBe(0));
  },
);

it.each<[string, (settings: QueueSettings) => Promise<number>]>([
  ['the command', (from) => redriveDeadLetterQueue(from, testLog)],
  [
    'the service',
    (from) =>
      deadLetterQueue({ ...from, name: 'payment-notifications' }, testLog).redrive({
        id: undefined,
        reason: undefined,
      }),
  ],
])('keeps a dead letter whose redrive by %s the broker does not confirm', async (_, redrive) => {
  // Far larger than all that the redrive sends before it.
  await publisher.publish(alone(['garbled'.padEnd(200_000, '.')]));
  const { consumer } = await consume({
    decode() {
      throw new Error('This is no protobuf.');
    },
  });
  await eventually(async () => expect(await tap.count(`${settings.queue}.dlq`)).toBe(1));
  consumers.length = 0;
  await consumer.stop();

  // The connection breaks when the message is on its way to the queue.
  const proxy = await cuttingProxy(settings.url, 100_000);
  await expect(redrive({ ...settings, url: proxy.url })).rejects.toThrow();
  await proxy.close();
  expect(await tap.count(settings.queue)).toBe(0);
  await eventually(async () => expect(await tap.count(`${settings.queue}.dlq`)).toBe(1));
  expect(await redrive(settings)).toBe(1);
  expect(await tap.count(settings.queue)).toBe(1);
});

it('keeps a parcel that cannot be decoded as a dead letter', async () => {
  await publisher.publish([
    { eventCount: 2, bytes: Buffer.from('no parcel') },
    { eventCount: 2, bytes: Buffer.of() },
    ...together(['good-1', 'good-2']),
  ]);
  const { texts } = await consume({});
  await eventually(() => expect(texts()).toEqual(['good-1', 'good-2']));
  await eventually(async () => expect(await tap.count(`${settings.queue}.dlq`)).toBe(2));
});

it('removes a message after the delivery limit if every consumer dies on it', async () => {
  await publisher.publish(alone(['deadly']));
  const deaths: (string | null)[] = [];
  for (let n = 0; n <= settings.deliveryLimit; n += 1) deaths.push(await consumeAndDie());
  expect(deaths).toEqual(['SIGKILL', 'SIGKILL', 'SIGKILL']);
  await eventually(async () => expect(await tap.count(`${settings.queue}.dlq`)).toBe(1));
  const [letter] = await tap.peek(`${settings.queue}.dlq`, 1);
  expect(letter?.properties.headers['x-first-death-reason']).toBe('delivery_limit');
  expect(await tap.count(settings.queue)).toBe(0);
});

/** A consumer in its own process that dies while it applies a message. */
function consumeAndDie(): Promise<string | null> {
  const program = new URL('./deadly-consumer-process.ts', import.meta.url).pathname;
  const env = { ...process.env, CONSUMER_SETTINGS: JSON.stringify(settings) };
  const child = spawn(process.execPath, [program], { env, stdio: 'inherit' });
  return new Promise((resolve) => child.on('close', (_, signal) => resolve(signal)));
}
