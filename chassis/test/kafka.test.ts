import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type KafkaConsumer,
  startKafkaConsumer,
  type TopicMessage,
} from '../src/messaging/kafka/consumer.ts';
import {
  connectKafkaProducer,
  connectRawProducer,
  type KafkaProducer,
} from '../src/messaging/kafka/producer.ts';
import { RefusedError } from '../src/messaging/refused.ts';
import { currentTrace } from '../src/telemetry/trace.ts';
import {
  createTestTopics,
  eventually,
  readTestTopic,
  type TestTopics,
  testLog,
  testServers,
} from '../src/testing/index.ts';
import { message, unique } from './messages.ts';

const settings = { ...testServers.kafka(), clientId: 'test-chassis' };

let topics: TestTopics;
let producer: KafkaProducer;
const running: KafkaConsumer[] = [];

beforeAll(async () => {
  topics = await createTestTopics('kafka');
  producer = await connectKafkaProducer(settings, testLog);
});
afterEach(() => Promise.all(running.splice(0).map((consumer) => consumer.stop())));
afterAll(async () => {
  await producer.close();
  await topics.drop();
});

/** Consumes with a new group unless one is named, and collects the applied messages. */
async function consume(handle: {
  groupId?: string;
  topic?: string;
  decode?(message: TopicMessage): TopicMessage;
  apply?(items: TopicMessage[]): Promise<void>;
}) {
  const batches: TopicMessage[][] = [];
  const { topic, deadLetterTopic } = topics;
  const consumer = await startKafkaConsumer(
    { ...settings, topic, deadLetterTopic, groupId: unique('group'), ...handle },
    {
      decode: handle.decode ?? ((incoming) => incoming),
      async apply(items) {
        await handle.apply?.(items);
        batches.push(items);
      },
    },
    testLog,
  );
  running.push(consumer);
  const texts = () => batches.flat().map((item) => item.payload.toString());
  return { consumer, batches, texts };
}

const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

/** Only the messages with the prefix, because the tests of this file share the topic. */
const only = (texts: string[], prefix: string) => texts.filter((text) => text.startsWith(prefix));

describe('a producer', () => {
  it('splits a send that would be too large for the broker, and keeps the order', async () => {
    const large = 'x'.repeat(200_000);
    const sent = Array.from({ length: 30 }, (_, n) => message(`${n} large-${large}`, 'large'));
    await producer.publish(topics.topic, [
      message('0 small-', 'large'),
      ...sent,
      message('31 small-', 'large'),
    ]);
    const { texts } = await consume({});
    const ours = () => texts().filter((text) => /^\d+ (large|small)-/.test(text));
    await eventually(() => expect(ours()).toHaveLength(32));
    expect(ours().map((text) => text.split('-')[0])).toEqual([
      '0 small',
      ...sent.map((_, n) => `${n} large`),
      '31 small',
    ]);
  });

  it('rejects a message above the size limit of the broker as refused, and others not', async () => {
    // Above max.message.bytes of a broker with its default settings.
    const tooLarge = message('x'.repeat(2 * 1024 * 1024));
    await expect(producer.publish(topics.topic, [tooLarge])).rejects.toThrow(RefusedError);
    const missing = producer.publish(unique('missing-topic'), [message('nowhere')]);
    await expect(missing).rejects.not.toThrow(RefusedError);
  });
});

describe('a consumer', () => {
  it('gets every message of every partition, in order for one key, in at most ten transactions a second', async () => {
    const sent = Array.from({ length: 600 }, (_, n) => message(`order-${n}`, `key-${n % 20}`));
    await producer.publish(topics.topic, sent);
    const startedAt = performance.now();
    const { texts, batches, consumer } = await consume({});
    await eventually(() => expect(only(texts(), 'order-')).toHaveLength(600));
    // Full batches do not wait.
    const full = batches.filter(({ length }) => length === 500).length;
    expect(batches.length).toBeLessThanOrEqual(2 + full + (performance.now() - startedAt) / 100);
    for (let key = 0; key < 20; key += 1) {
      const ofKey = only(texts(), 'order-')
        .map((text) => Number(text.slice(6)))
        .filter((n) => n % 20 === key);
      expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
    }
    await eventually(async () => expect(await consumer.lag()).toBe(0n));
  });

  it('passes on the fields and the trace of each event', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const sent = message('facts');
    await producer.publish(topics.topic, [{ ...sent, headers: { ...sent.headers, traceparent } }]);
    const { batches } = await consume({});
    await eventually(() => {
      const got = batches.flat().find((item) => item.id === sent.id);
      expect(got).toMatchObject({ key: 'k', type: 'test.happened', payload: sent.payload });
      expect(got?.headers).toMatchObject({
        ce_specversion: '1.0',
        'content-type': 'application/protobuf',
        traceparent,
      });
    });
  });

  it('continues at the committed offset of its group', async () => {
    const groupId = unique('resume');
    await producer.publish(topics.topic, [message('resume-1')]);
    const first = await consume({ groupId });
    await eventually(() => expect(only(first.texts(), 'resume-')).toEqual(['resume-1']));
    await first.consumer.stop();
    running.length = 0;
    await producer.publish(topics.topic, [message('resume-2')]);
    const second = await consume({ groupId });
    await eventually(() => expect(only(second.texts(), 'resume-')).toEqual(['resume-2']));
  });

  it('retries a batch while the database is unavailable, and applies it afterwards', async () => {
    let failures = 3;
    await producer.publish(topics.topic, [message('away-1'), message('away-2')]);
    const { texts } = await consume({
      async apply() {
        failures -= 1;
        if (failures >= 0) throw away;
      },
    });
    await eventually(() => expect(only(texts(), 'away-')).toEqual(['away-1', 'away-2']));
  });

  it('commits no offset before the messages are applied: after a stop, the next member of the group gets them', async () => {
    const groupId = unique('unapplied');
    await producer.publish(topics.topic, [message('unapplied-1'), message('unapplied-2')]);
    let attempts = 0;
    const first = await consume({
      groupId,
      apply() {
        attempts += 1;
        return Promise.reject(away);
      },
    });
    // Longer than an offset waits for its commit.
    await eventually(() => expect(attempts).toBeGreaterThan(3));
    await first.consumer.stop();
    running.length = 0;
    const second = await consume({ groupId });
    await eventually(() =>
      expect(only(second.texts(), 'unapplied-')).toEqual(['unapplied-1', 'unapplied-2']),
    );
  });
});

describe('a dead letter', () => {
  it('has its reason and origin, is otherwise unchanged, and does not block the rest', async () => {
    const own = await createTestTopics('poison');
    const raw = await connectRawProducer(settings, testLog);
    const poison = { ce_id: 'evt_poison', ce_type: 'test.happened', other: 'kept' };
    await producer.publish(own.topic, [message('good-1')]);
    await raw.send(own.topic, [{ key: Buffer.from('k'), value: Buffer.from([0xff, 0x00]), headers: poison }]);
    await raw.send(own.topic, [{ key: Buffer.from('k'), value: Buffer.from('no event'), headers: {} }]);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const refused = message('refused');
    const inTrace = { ...refused, headers: { ...refused.headers, traceparent } };
    await producer.publish(own.topic, [inTrace, message('good-2')]);

    const service = { topic: own.topic, deadLetterTopic: own.deadLetterTopic };
    const { texts, consumer } = await consume({
      ...service,
      decode(incoming) {
        if (incoming.payload[0] === 0xff) throw new Error('This is no protobuf.');
        return incoming;
      },
      async apply(items) {
        if (!items.some((item) => item.payload.toString() === 'refused')) return;
        // Alone, the message is applied in the trace of the request that caused it, and so are the log lines about it.
        if (items.length === 1) expect(currentTrace()?.traceparent).toBe(traceparent);
        throw new Error('The rule says no.');
      },
    });
    await eventually(() => expect(texts()).toEqual(['good-1', 'good-2']));
    await eventually(async () => expect(await consumer.lag()).toBe(0n));

    const letters = await readTestTopic(own.deadLetterTopic, 3);
    const letterOf = (reason: string, payload: string) =>
      letters
        .map(({ payload, headers }) => ({ value: payload.toString('latin1'), headers }))
        .find(({ value, headers }) => value === payload && headers['dead-letter-reason'] === reason);
    expect(letterOf('UNDECODABLE', '\xff\0')?.headers).toMatchObject({
      ...poison,
      'dead-letter-error': 'Error: This is no protobuf.',
      'dead-letter-topic': own.topic,
      'dead-letter-partition': expect.stringMatching(/^\d$/),
      'dead-letter-offset': '1',
    });
    expect(letterOf('UNDECODABLE', 'no event')?.headers['dead-letter-error']).toMatch(/not a CloudEvent/);
    expect(letterOf('REJECTED', 'refused')?.headers['dead-letter-error']).toBe('Error: The rule says no.');

    await raw.close();
    await own.drop();
  });
});
