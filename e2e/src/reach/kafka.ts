/** The rights of a client of Kafka, found out by trying. No attempt changes anything, whether it is refused or not. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import kafkajs, { type Admin, Kafka, type KafkaConfig } from 'kafkajs';
import { rpcAddress } from '../rpc.ts';

const { logLevel } = kafkajs;

/** The platform's administrator of Kafka, by its certificate. It sees everything that exists. */
export function asAdministrator(): Kafka {
  const read = (name: string) =>
    readFileSync(new URL(`../../../.local/tls/${name}`, import.meta.url), 'utf8');
  const identity = read('kafka-admin.pem');
  const ssl = { ca: read('ca.pem'), key: identity, cert: identity };
  return client({ brokers: [rpcAddress(9094)], ssl });
}

/** With the settings that the process of a service has. Undefined if it has none. */
export function asService({
  KAFKA_BROKERS: brokers,
  KAFKA_CA_FILE: caFile = '',
  KAFKA_USERNAME: username = '',
  KAFKA_PASSWORD: password = '',
}: Readonly<Record<string, string>>): Kafka | undefined {
  if (brokers === undefined) return undefined;
  const sasl = { mechanism: 'scram-sha-512', username, password } as const;
  return client({ brokers: brokers.split(','), ssl: { ca: readFileSync(caFile, 'utf8') }, sasl });
}

export function client(config: KafkaConfig): Kafka {
  return new Kafka({
    ...config,
    logLevel: logLevel.NOTHING,
    retry: { retries: 1 },
    connectionTimeout: 3_000,
  });
}

export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

const REFUSALS = ['TOPIC_AUTHORIZATION_FAILED', 'GROUP_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED'];

/** kafkajs tells only this if Kafka refuses to name the coordinator of a group. While there is none yet, it tries again. */
const NO_COORDINATOR = 'KafkaJSGroupCoordinatorNotFound';

/** The error type of Kafka behind the errors of kafkajs. */
function typeOf(error: unknown): string {
  const { name, type, cause, errors, partitions, message } = error as {
    name?: string;
    type?: string;
    cause?: unknown;
    errors?: unknown[];
    partitions?: { error: unknown }[];
    message?: string;
  };
  const inner = cause ?? errors?.[0] ?? partitions?.[0]?.error;
  if (type !== undefined) return type;
  if (name === NO_COORDINATOR) return 'GROUP_AUTHORIZATION_FAILED';
  return inner === undefined ? (message ?? String(error)) : typeOf(inner);
}

/** True if the work succeeds or fails with one of `harmless`. False if Kafka refuses it. Rejects with any other error. */
async function isPermitted(work: () => Promise<unknown>, harmless: readonly string[] = []): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    const type = typeOf(error);
    if (REFUSALS.includes(type)) return false;
    if (harmless.includes(type)) return true;
    throw error;
  }
}

/** A batch above the topic's limit: Kafka checks the rights first, and stores none of it. */
const TOO_LARGE = Buffer.alloc(1_200_000);

export async function mayProduce(kafka: Kafka, topic: string): Promise<boolean> {
  const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 0 } });
  await producer.connect();
  try {
    const send = () => producer.send({ topic, messages: [{ value: TOO_LARGE }] });
    return await isPermitted(send, ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_TOPIC_EXCEPTION']);
  } finally {
    await producer.disconnect();
  }
}

/** `groupPrefix` is one that the client may use. */
export async function mayConsume(kafka: Kafka, topic: string, groupPrefix: string): Promise<boolean> {
  const groupId = `${groupPrefix}${randomUUID()}`;
  // A disconnect waits for the running fetch.
  const consumer = kafka.consumer({
    groupId,
    allowAutoTopicCreation: false,
    retry: { retries: 5 },
    maxWaitTimeInMs: 100,
  });
  const { promise: fetched, resolve, reject } = Promise.withResolvers<void>();
  consumer.on(consumer.events.FETCH, () => resolve());
  consumer.on(consumer.events.CRASH, ({ payload: { error } }) => reject(error));
  const consume = async () => {
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ autoCommit: false, eachBatch: async () => {} });
    await fetched;
  };
  await consumer.connect();
  try {
    return await isPermitted(consume);
  } finally {
    await consumer.disconnect();
    await withAdmin(kafka, (admin) => admin.deleteGroups([groupId])).catch(() => undefined);
  }
}

/** Kafka answers questions about a group only to those that may join it, change its offsets or delete it. */
export function mayJoin(kafka: Kafka, groupId: string): Promise<boolean> {
  return isPermitted(() =>
    withAdmin(kafka, (admin) => admin.fetchOffsets({ groupId, topics: ['payment-events'] })),
  );
}

/** The names of administrative acts that are permitted. */
export function permittedActs(kafka: Kafka): Promise<string[]> {
  const topic = `blast-radius-${randomUUID()}`;
  const acts: Record<string, (admin: Admin) => Promise<unknown>> = {
    'create a topic': (admin) =>
      admin.createTopics({ topics: [{ topic, numPartitions: 1 }], validateOnly: true, timeout: 5_000 }),
    'add partitions': (admin) =>
      admin.createPartitions({
        topicPartitions: [{ topic: 'payment-events', count: 1_000 }],
        validateOnly: true,
      }),
    // Offset 0 deletes nothing.
    'delete events': (admin) =>
      admin.deleteTopicRecords({ topic: 'payment-events', partitions: [{ partition: 0, offset: '0' }] }),
    'change the retention of a topic': (admin) =>
      admin.alterConfigs({
        validateOnly: true,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: 'payment-events',
            configEntries: [{ name: 'retention.ms', value: '1' }],
          },
        ],
      }),
    'give rights': (admin) => admin.createAcls({ acl: [uselessRule(topic)] }),
  };
  return withAdmin(kafka, async (admin) => {
    const permitted: string[] = [];
    for (const [name, act] of Object.entries(acts)) {
      if (await isPermitted(() => act(admin))) permitted.push(name);
    }
    return permitted;
  });
}

/** For a user and a topic that do not exist. */
const uselessRule = (topic: string) => ({
  resourceType: kafkajs.AclResourceTypes.TOPIC,
  resourceName: topic,
  resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
  principal: 'User:nobody',
  host: '*',
  operation: kafkajs.AclOperationTypes.READ,
  permissionType: kafkajs.AclPermissionTypes.ALLOW,
});
