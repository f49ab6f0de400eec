/** Kafka 4.1 as one KRaft node: broker and controller in one JVM. */
import { randomBytes } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { installDebianPackages } from '../debian.ts';
import { withLock } from '../lock.ts';
import { cache, local, root } from '../paths.ts';
import type { Note } from '../progress.ts';
import { isExecutable, logged, which } from '../run.ts';
import type { Settings } from '../settings.ts';
import { fingerprint } from '../supervisor-config.ts';
import type { Server } from './server.ts';

const VERSION = '4.1.1'; // Must equal the version in the pom.
const jars = join(cache, `kafka-${VERSION}/libs`);
const folder = join(local, 'kafka');
const data = join(folder, 'data');

export function kafka(settings: Settings): Server {
  const brokers = settings.external.kafka ?? `127.0.0.1:${settings.ports.kafka}`;
  return {
    name: 'kafka',
    url: brokers,
    ports: ['kafka', 'kafka_controller'],
    async prepare(note) {
      const java = await findJava(note);
      await fetchJars(note);
      await format(java, settings, note);
      const config = join(folder, 'server.properties');
      const contents = properties(settings, data);
      await writeFile(config, contents);
      const command = [java, ...JVM, '-cp', `${jars}/*`, 'kafka.Kafka', config];
      return [
        {
          name: 'kafka',
          command,
          folder,
          env: fingerprint(contents),
          stopSignal: 'TERM',
          isBackground: true,
        },
      ];
    },
    async ping() {
      const client = new Kafka({
        brokers: brokers.split(','),
        logLevel: logLevel.NOTHING,
        retry: { retries: 0 },
      });
      const admin = client.admin();
      try {
        await admin.connect();
        const { brokers: alive } = await admin.describeCluster();
        if (alive.length === 0) throw new Error('no broker has registered yet');
      } finally {
        await admin.disconnect();
      }
    },
  };
}

/** One node serves few partitions, so half a gigabyte is enough. The serial collector starts fastest. */
const JVM = [
  '-Xms128m',
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
];

/**
 * With one node, a topic's replication is 1. Consumer groups do not wait the usual 3 s for more members. The broker's session is
 * short, because a killed broker can only register again when its old session has expired.
 */
function properties({ ports }: Settings, dataFolder: string): string {
  return `process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:${ports.kafka_controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${ports.kafka},CONTROLLER://127.0.0.1:${ports.kafka_controller}
advertised.listeners=PLAINTEXT://127.0.0.1:${ports.kafka}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=${dataFolder}
auto.create.topics.enable=false
offsets.topic.num.partitions=5
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=5
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=5
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=1000
broker.session.timeout.ms=4000
`;
}

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
  await writeFile(config, properties(settings, making));
  const cluster = randomBytes(16).toString('base64url');
  const tool = ['-cp', `${jars}/*`, 'kafka.tools.StorageTool', 'format', '-t', cluster, '-c', config];
  await logged('kafka-format', [java, ...tool], 'Look at the message above; a Java older than 17 is usual.');
  await rename(making, data);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
