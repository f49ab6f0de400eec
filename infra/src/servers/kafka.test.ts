import { connect } from 'node:net';
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import { expect, it } from 'vitest';
import { kafkaConfig } from '../provision/kafka.ts';
import type { KafkaUser } from '../provision/kafka-access.ts';
import { readAddresses } from './start.ts';

const { kafka: clients } = await readAddresses();
const isOurs = clients.payment.KAFKA_USERNAME === 'payflowx_payment';
const test = it.runIf(isOurs);

const as = (user: KafkaUser, changes: Partial<KafkaConfig> = {}) =>
  new Kafka({ ...kafkaConfig(clients[user]), logLevel: logLevel.NOTHING, retry: { retries: 0 }, ...changes });

/** Returns the type of Kafka's refusal, or the message of any other error. */
async function refusalOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'not refused',
    (error) => error.type ?? error.cause?.type ?? error.errors?.[0]?.type ?? error.message,
  );
}

async function produce(user: KafkaUser, topic: string): Promise<void> {
  const producer = as(user).producer({ allowAutoTopicCreation: false, retry: { retries: 0 } });
  await producer.connect();
  try {
    await producer.send({ topic, messages: [{ value: 'forged' }] });
  } finally {
    await producer.disconnect();
  }
}

async function join(user: KafkaUser, groupId: string, topic = 'payment-events'): Promise<void> {
  const consumer = as(user).consumer({ groupId, allowAutoTopicCreation: false, retry: { retries: 0 } });
  const joined = Promise.withResolvers<void>();
  consumer.on(consumer.events.GROUP_JOIN, () => joined.resolve());
  consumer.on(consumer.events.CRASH, ({ payload }) => joined.reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ autoCommit: false, eachMessage: async () => {} });
    await joined.promise;
  } finally {
    await consumer.disconnect();
  }
}

/** Sends Kafka's first request without TLS, and returns the number of bytes that come back. */
function answerWithoutTls(port: number): Promise<number> {
  const apiVersions = Buffer.from('0000000e00120000000000010004746573740000', 'hex');
  return new Promise((resolve) => {
    let bytes = 0;
    const socket = connect({ host: '127.0.0.1', port, timeout: 5_000 }, () => socket.write(apiVersions));
    socket.on('data', (chunk) => {
      // A TLS alert has the type 21.
      if (chunk[0] !== 21) bytes += chunk.length;
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve(bytes));
  });
}

test('has no listener without TLS', async () => {
  const port = Number(clients.tests.KAFKA_BROKERS?.split(':')[1]);
  expect(await answerWithoutTls(port)).toBe(0);
  // The two listeners of the broker itself.
  expect(await answerWithoutTls(port + 1)).toBe(0);
  expect(await answerWithoutTls(port + 2)).toBe(0);
});

test('refuses a client without a password, with a wrong one, and without a certificate where one is needed', async () => {
  const { ssl } = kafkaConfig(clients.tests);
  const [host, port] = clients.tests.KAFKA_BROKERS?.split(':') ?? [];
  const connected = async (config: KafkaConfig) => {
    const admin = new Kafka({ ...config, logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
    try {
      await admin.connect();
      await admin.listTopics();
    } finally {
      await admin.disconnect();
    }
  };
  const brokers = [`${host}:${port}`];
  const sasl = { mechanism: 'scram-sha-512', username: 'payflowx_payment', password: 'wrong' } as const;
  expect(await refusalOf(connected({ brokers, ssl: ssl ?? true }))).not.toBe('not refused');
  expect(await refusalOf(connected({ brokers, ssl: ssl ?? true, sasl }))).toMatch(/SASL|[Aa]uthentication/);
  const ownListener = [`${host}:${Number(port) + 2}`];
  expect(await refusalOf(connected({ brokers: ownListener, ssl: ssl ?? true }))).not.toBe('not refused');
  expect(await refusalOf(connected(kafkaConfig(clients.tests)))).toBe('not refused');
});

test.each(['ledger', 'analytics', 'tests'] as const)('lets %s produce no events', async (user) => {
  expect(await refusalOf(produce(user, 'payment-events'))).toBe('TOPIC_AUTHORIZATION_FAILED');
});

test('lets payment produce only events, so no dead letters and nothing elsewhere', async () => {
  expect(await refusalOf(produce('payment', 'payment-events.dlt'))).toBe('TOPIC_AUTHORIZATION_FAILED');
  expect(await refusalOf(produce('payment', 'test-elsewhere'))).toBe('TOPIC_AUTHORIZATION_FAILED');
});

test('lets only ledger and analytics read the events, each in its own group', async () => {
  // kafkajs reports the refusal of a group in its own words.
  expect(await refusalOf(join('analytics', 'ledger'))).toBe('Failed to find group coordinator');
  expect(await refusalOf(join('payment', 'payment'))).toMatch('Failed to find group coordinator');
  expect(await refusalOf(join('tests', 'test-group'))).toBe('TOPIC_AUTHORIZATION_FAILED');
  expect(await refusalOf(join('ledger', 'ledger-replay-test'))).toBe('not refused');
});

test('lets no service create a topic', async () => {
  for (const user of ['payment', 'ledger', 'analytics'] as const) {
    const admin = as(user).admin();
    await admin.connect();
    const created = admin.createTopics({ topics: [{ topic: `test-by-${user}` }] });
    expect(await refusalOf(created)).toBe('TOPIC_AUTHORIZATION_FAILED');
    await admin.disconnect();
  }
});
