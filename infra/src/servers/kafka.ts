/** Kafka 4.1 as one KRaft node: broker and controller in one JVM. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { installDebianPackages } from '../debian.ts';
import { withLock } from '../lock.ts';
import { cache, local, root } from '../paths.ts';
import type { Note } from '../progress.ts';
import {
  type Administrator,
  administratorConfig,
  kafkaConfig,
  kafkaPassword,
  provisionTopics,
  provisionUsers,
} from '../provision/kafka.ts';
import { KAFKA_USERS, type KafkaUser, kafkaUserName } from '../provision/kafka-access.ts';
import { isExecutable, logged, which } from '../run.ts';
import type { Secrets } from '../secrets.ts';
import type { ClientSettings, Ports, Settings } from '../settings.ts';
import { fingerprint } from '../supervisor-config.ts';
import { caFile, identityFile } from '../tls/tls-files.ts';
import { kafkaProperties } from './kafka-config.ts';
import type { Server, Source } from './server.ts';

const VERSION = '4.1.1'; // Must equal the version in the pom.
const jars = join(cache, `kafka-${VERSION}/libs`);
const folder = join(local, 'kafka');
const data = join(folder, 'data');

export interface KafkaServer extends Server {
  /** For each user, the settings of a client. */
  readonly clients: Readonly<Record<KafkaUser, ClientSettings>>;
  /** Creates topics, and on our own server users and their rights. */
  provision(source: Source): Promise<void>;
}

/** `isContained` is true for a server in a container: it has no TLS and no users. */
export function kafka(settings: Settings, secret: Secrets, isContained: boolean): KafkaServer {
  const { ports, external } = settings;
  const own = `127.0.0.1:${ports.kafka}`;
  const shared = external.kafka ?? (isContained ? { KAFKA_BROKERS: own } : undefined);
  const connection = () => (shared ? kafkaConfig(shared) : administration(ports));
  return {
    name: 'kafka',
    url: external.kafka?.KAFKA_BROKERS ?? own,
    ports: ['kafka', 'kafka_controller', 'kafka_broker'],
    clients: clientsOf((user) => shared ?? clientSettings(user, own, secret)),
    async prepare(note) {
      const java = await findJava(note);
      await fetchJars(note);
      await format(java, settings, note);
      const config = join(folder, 'server.properties');
      const contents = kafkaProperties(settings, data);
      await writeFile(config, contents);
      const certificates = await readFile(identityFile('kafka'), 'utf8');
      const command = [java, ...JVM, '-cp', `${jars}/*`, 'kafka.Kafka', config];
      return [
        {
          name: 'kafka',
          command,
          folder,
          env: fingerprint(`${contents}${certificates}`),
          stopSignal: 'TERM',
          isBackground: true,
        },
      ];
    },
    async ping() {
      const admin = new Kafka({ ...connection(), logLevel: logLevel.NOTHING, retry: { retries: 0 } }).admin();
      try {
        await admin.connect();
        const { brokers: alive } = await admin.describeCluster();
        if (alive.length === 0) throw new Error('no broker has registered yet');
      } finally {
        await admin.disconnect();
      }
    },
    async provision(source) {
      if (source === 'native') await provisionUsers(administratorOf(ports), secret);
      await provisionTopics(connection());
    },
  };
}

function clientsOf(settingsOf: (user: KafkaUser) => ClientSettings): Record<KafkaUser, ClientSettings> {
  const entries = KAFKA_USERS.map((user) => [user, settingsOf(user)]);
  return Object.fromEntries(entries) as Record<KafkaUser, ClientSettings>;
}

function clientSettings(user: KafkaUser, brokers: string, secret: Secrets): ClientSettings {
  return {
    KAFKA_BROKERS: brokers,
    KAFKA_TLS: 'true',
    KAFKA_CA_FILE: caFile,
    KAFKA_USERNAME: kafkaUserName(user),
    KAFKA_PASSWORD: kafkaPassword(user, secret),
  };
}

/** A renewed certificate restarts the broker, so each connection reads the files again. */
function administratorOf({ kafka_broker: port }: Ports): Administrator {
  const read = (path: string) => readFileSync(path, 'utf8');
  return { host: '127.0.0.1', port, ca: read(caFile), identity: read(identityFile('kafka-admin')) };
}

const administration = (ports: Ports) => administratorConfig(administratorOf(ports));

/** One node serves few partitions, so half a gigabyte is enough. The serial collector starts fastest. */
const JVM = [
  '-Xms128m',
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
];

async function findJava(note: Note): Promise<string> {
  const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : await which('java');
  if (java && (await isExecutable(java))) return java;
  await installDebianPackages(['default-jre-headless'], 'Java 17 or later (Kafka runs on it)', note);
  return '/usr/bin/java';
}

async function fetchJars(note: Note): Promise<void> {
  await withLock(
    `${cache}/kafka.lock`,
    () => note('another run fetches the jars; waiting for it'),
    async () => {
      if (await exists(jars)) return;
      if (!(await which('mvn'))) await installDebianPackages(['maven'], 'Maven (it fetches Kafka)', note);
      note(`fetching Kafka ${VERSION} from Maven Central (43 MB, about 20 s)`);
      const making = `${jars}.new`;
      await rm(making, { recursive: true, force: true });
      const pom = join(root, 'infra/kafka/pom.xml');
      const command = [
        'mvn',
        '-B',
        '-q',
        '-f',
        pom,
        'dependency:copy-dependencies',
        `-DoutputDirectory=${making}`,
      ];
      await logged('kafka-fetch', command, 'Check the connection to Maven Central, or give KAFKA_BROKERS.');
      await rename(making, jars);
    },
  );
}

/** Like Postgres' data folder, this one gets its name only when it is complete. */
async function format(java: string, settings: Settings, note: Note): Promise<void> {
  if (await exists(join(data, 'meta.properties'))) return;
  note('formatting the data folder');
  const making = `${data}.new`;
  const config = join(folder, 'format.properties');
  await rm(making, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(config, kafkaProperties(settings, making));
  // One id in 64 begins with a hyphen. As a word of its own it would be taken for an option.
  const cluster = `--cluster-id=${randomBytes(16).toString('base64url')}`;
  const tool = ['-cp', `${jars}/*`, 'kafka.tools.StorageTool', 'format', cluster, '-c', config];
  await logged('kafka-format', [java, ...tool], 'Look at the message above; a Java older than 17 is usual.');
  await rename(making, data);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
