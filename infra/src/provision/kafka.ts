/** Creates the topics, users and rights of Kafka. */
import { createHash, pbkdf2 } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { alterUserScramCredentialsV0, Connection, ScramMechanisms } from '@platformatic/kafka';
import kafkajs, { type AclEntry, type Admin, Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import type { Secrets } from '../secrets.ts';
import type { ClientSettings } from '../settings.ts';
import { KAFKA_USERS, type KafkaUser, kafkaUserName, wantedAcls } from './kafka-access.ts';

/** Payment events are kept for ever, because ledger and analytics can be rebuilt from them. */
const TOPICS = [
  { topic: 'payment-events', numPartitions: 6, configEntries: [{ name: 'retention.ms', value: '-1' }] },
  { topic: 'payment-events.dlt', numPartitions: 1, configEntries: [{ name: 'retention.ms', value: '-1' }] },
];

/** Creates missing topics, and leaves existing ones unchanged. */
export async function provisionTopics(access: KafkaConfig): Promise<void> {
  await withAdmin(access, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const topics = TOPICS.filter(({ topic }) => !existing.has(topic));
    if (topics.length > 0) await admin.createTopics({ topics, waitForLeaders: true });
  });
}

/** Sets the users' passwords, and makes Kafka's rules equal to ours: it creates missing rules and deletes all others. */
export async function provisionUsers(access: Administrator, secret: Secrets): Promise<void> {
  await setPasswords(access, secret);
  await withAdmin(administratorConfig(access), async (admin) => {
    const wanted = wantedAcls();
    const existing = await readAcls(admin);
    const isIn = (entries: readonly AclEntry[]) => {
      const known = new Set(entries.map(fingerprintOf));
      return (entry: AclEntry) => known.has(fingerprintOf(entry));
    };
    const isWanted = isIn(wanted);
    const isThere = isIn(existing);
    const surplus = existing.filter((entry) => !isWanted(entry));
    const missing = wanted.filter((entry) => !isThere(entry));
    if (missing.length > 0) await admin.createAcls({ acl: missing });
    if (surplus.length > 0) await admin.deleteAcls({ filters: surplus });
  });
}

/** An administrator's client certificate, in one file with its key. */
export interface Administrator {
  readonly host: string;
  readonly port: number;
  readonly ca: string;
  readonly identity: string;
}

export function administratorConfig({ host, port, ca, identity }: Administrator): KafkaConfig {
  return { brokers: [`${host}:${port}`], ssl: { ca, key: identity, cert: identity } };
}

/** The connection of a client with these settings. The services read the same variables. */
export function kafkaConfig(settings: ClientSettings): KafkaConfig {
  const {
    KAFKA_BROKERS = '',
    KAFKA_TLS,
    KAFKA_CA_FILE,
    KAFKA_USERNAME: username,
    KAFKA_PASSWORD: password = '',
  } = settings;
  return {
    brokers: KAFKA_BROKERS.split(','),
    ...(KAFKA_TLS === 'true' && { ssl: KAFKA_CA_FILE ? { ca: readFileSync(KAFKA_CA_FILE, 'utf8') } : true }),
    ...(username && { sasl: { mechanism: 'scram-sha-512', username, password } }),
  };
}

export function kafkaPassword(user: KafkaUser, secret: Secrets): string {
  return secret(`kafka/${kafkaUserName(user)}`);
}

async function withAdmin(access: KafkaConfig, work: (admin: Admin) => Promise<void>): Promise<void> {
  const admin = new Kafka({ ...access, logLevel: logLevel.ERROR }).admin();
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.disconnect();
  }
}

async function readAcls(admin: Admin): Promise<AclEntry[]> {
  const { resources } = await admin.describeAcls({
    resourceType: kafkajs.AclResourceTypes.ANY,
    resourcePatternType: kafkajs.ResourcePatternTypes.ANY,
    operation: kafkajs.AclOperationTypes.ANY,
    permissionType: kafkajs.AclPermissionTypes.ANY,
  } as Parameters<Admin['describeAcls']>[0]);
  return resources.flatMap(({ acls, ...resource }) => acls.map((acl) => ({ ...resource, ...acl })));
}

function fingerprintOf(entry: AclEntry): string {
  const { resourceType, resourceName, resourcePatternType, principal, host, operation, permissionType } =
    entry;
  return JSON.stringify([
    resourceType,
    resourceName,
    resourcePatternType,
    principal,
    host,
    operation,
    permissionType,
  ]);
}

/** The passwords are random, so the fewest rounds that Kafka accepts are enough. */
const ITERATIONS = 4_096;

/** kafkajs cannot do this. */
async function setPasswords({ host, port, ca, identity }: Administrator, secret: Secrets): Promise<void> {
  const upsertions = await Promise.all(KAFKA_USERS.map((user) => scramOf(user, kafkaPassword(user, secret))));
  const connection = new Connection('infra', { tls: { ca, key: identity, cert: identity } });
  await connection.connect(host, port);
  try {
    await alterUserScramCredentialsV0.api.async(connection, [], upsertions);
  } finally {
    await connection.close();
  }
}

/** The broker stores no password, but a salted hash: https://www.rfc-editor.org/rfc/rfc5802#section-3 */
async function scramOf(user: KafkaUser, password: string) {
  const name = kafkaUserName(user);
  const salt = createHash('sha256').update(`${name} ${password}`).digest().subarray(0, 16);
  const saltedPassword = await promisify(pbkdf2)(password, salt, ITERATIONS, 64, 'sha512');
  return { name, mechanism: ScramMechanisms.SCRAM_SHA_512, iterations: ITERATIONS, salt, saltedPassword };
}
