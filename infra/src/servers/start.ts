/** Starts the servers in parallel, each from its best source, and waits until they answer. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, together } from '../failure.ts';
import { local, logs } from '../paths.ts';
import { type Note, say, step } from '../progress.ts';
import type { ConsulUser } from '../provision/consul.ts';
import type { KafkaUser } from '../provision/kafka-access.ts';
import { closeCommonDatabases, provisionPostgres } from '../provision/postgres.ts';
import { type RabbitUser, rabbitDefinitions } from '../provision/rabbitmq.ts';
import { poll, tail } from '../run.ts';
import type { Secrets } from '../secrets.ts';
import type { ClientSettings, Settings } from '../settings.ts';
import type { Supervisor } from '../supervisor.ts';
import { requireFreePorts } from '../taken-ports.ts';
import { ensureCertificates } from '../tls/tls-files.ts';
import { type ConsulServer, consul, findConsul } from './consul.ts';
import { consulBuildLog, waitForBuild } from './consul-build.ts';
import { type Containers, findUsableContainers } from './containers.ts';
import { kafka } from './kafka.ts';
import { inboxPage, mail } from './mail.ts';
import { postgres, reloadConfiguration, requireVersion } from './postgres.ts';
import { rabbitmq } from './rabbitmq.ts';
import type { Server, Source } from './server.ts';

export interface Addresses {
  readonly postgres: string;
  /** For each user, the settings of a client. */
  readonly kafka: Readonly<Record<KafkaUser, ClientSettings>>;
  readonly rabbitmq: Readonly<Record<RabbitUser, ClientSettings>>;
  /** Undefined while Consul is being built. Services then use fixed addresses of each other. */
  readonly consul: Readonly<Record<ConsulUser, ClientSettings>> | undefined;
  /** SMTP. */
  readonly mail: string;
  /** The page that shows the mails. Undefined if they go to a given server. */
  readonly inbox: string | undefined;
}

interface Context {
  readonly settings: Settings;
  readonly secret: Secrets;
  readonly supervisor: Promise<Supervisor>;
  readonly containers: Containers | undefined;
}

/** Long, because a JVM starts slowly while a Consul build uses the cores. */
const READY_WITHIN_MS = 120_000;

export async function startServers(
  settings: Settings,
  secret: Secrets,
  supervisor: Promise<Supervisor>,
): Promise<Addresses> {
  const containers = await findUsableContainers(settings, secret);
  const context: Context = { settings, secret, supervisor, containers };
  const isContained = containers !== undefined;
  await ensureCertificates();
  const servers = {
    postgres: postgres(settings, secret, isContained),
    kafka: kafka(settings, secret, isContained),
    rabbitmq: rabbitmq(settings, secret, isContained),
    consul: consul(settings, secret, isContained),
    mail: mail(settings),
  };

  let consulRuns = false;
  await together([
    start(context, servers.postgres, async (source) => {
      await requireVersion(servers.postgres.url);
      if (source === 'native') {
        await reloadConfiguration(servers.postgres.url);
        await closeCommonDatabases(servers.postgres.url);
      }
      await provisionPostgres(servers.postgres.url, secret);
    }),
    start(context, servers.kafka, (source) => servers.kafka.provision(source)),
    start(context, servers.rabbitmq, async (source) => {
      if (source === 'in a container') await containers?.importDefinitions(rabbitDefinitions(secret));
    }),
    start(context, servers.mail),
    startConsul(context, servers.consul).then((runs) => {
      consulRuns = runs;
    }),
  ]);

  const { postgres: database, kafka: events } = servers;
  const addresses = {
    postgres: database.url,
    kafka: events.clients,
    rabbitmq: servers.rabbitmq.clients,
    consul: consulRuns ? servers.consul.clients : undefined,
    mail: servers.mail.url,
    inbox: inboxPage(settings),
  };
  await writeFile(ADDRESSES_FILE, JSON.stringify(addresses, null, 2), { mode: 0o600 });
  await writeTestEnvironment(addresses);
  return addresses;
}

const ADDRESSES_FILE = join(local, 'addresses.json');

/** The addresses of the last start, for commands that use the running platform. */
export async function readAddresses(): Promise<Addresses> {
  try {
    return JSON.parse(await readFile(ADDRESSES_FILE, 'utf8'));
  } catch {
    throw new Failure('The servers have not been started in this checkout.', 'Start them with `make up`.');
  }
}

async function start(
  context: Context,
  server: Server,
  provision: (source: Source) => Promise<void> = async () => {},
): Promise<void> {
  await step(server.name, async (note) => {
    const source = await run(context, server, note);
    const answered = await poll(() => server.ping().then(() => true), READY_WITHIN_MS);
    if (!answered) throw await silent(server, source);
    await provision(source);
    return `ready at ${withoutPassword(server.url)}, ${source}`;
  });
}

async function run(context: Context, server: Server, note: Note): Promise<Source> {
  if (context.settings.external[server.name]) return 'given by the environment';
  if (context.containers && !server.isOnlyNative) {
    note('starting the container (the first time pulls its image, about a minute)');
    await context.containers.start([server.name]);
    return 'in a container';
  }
  const supervisor = await context.supervisor;
  const running = (await supervisor.states()).some(({ group }) => group === server.name);
  if (!running) {
    await requireFreePorts(server.ports.map((name) => ({ name, port: context.settings.ports[name] })));
  }
  await supervisor.run({ name: server.name, rank: 100, programs: await server.prepare(note) });
  return 'native';
}

/** Returns false if Consul is still being built after the maximum wait. */
async function startConsul(context: Context, server: ConsulServer): Promise<boolean> {
  const native = !context.settings.external.consul && !context.containers;
  if (native && !(await findConsul())) {
    say('consul', 'building it from source, once on this machine: two to four minutes on two cores');
    const wait = context.settings.consulWaitMs;
    const built = await waitForBuild(wait, (seconds) => say('consul', `still building after ${seconds} s`));
    if (!built) {
      say(
        'consul',
        `not built after ${wait / 1000} s: going on with fixed addresses; the next start uses Consul`,
        '!',
      );
      say('consul', `the build goes on in the background; its log is ${consulBuildLog}`, '!');
      return false;
    }
  }
  await start(context, server, server.provision);
  return true;
}

async function silent({ name, url }: Server, source: Source): Promise<Failure> {
  const problem = `${name} does not answer at ${withoutPassword(url)}.`;
  if (source === 'given by the environment')
    return new Failure(problem, 'Check the address you gave, and that server.');
  const log = join(logs, `${name}.log`);
  return new Failure(
    `${problem} Its log ends with:\n    ${await tail(log)}`,
    `See ${log}; \`make down\` stops everything for a new start.`,
  );
}

/** The environment of a single package's tests: `set -a; . .local/test.env; npx vitest run`. */
async function writeTestEnvironment(addresses: Addresses): Promise<void> {
  const variables = Object.entries(await testEnvironment(addresses));
  await writeFile(
    join(local, 'test.env'),
    variables.map(([name, value]) => `${name}='${value}'\n`).join(''),
    {
      mode: 0o600,
    },
  );
}

/** The variables of tests begin with TEST_, so that no service reads them by mistake. */
function forTests(settings: ClientSettings): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [`TEST_${name}`, value]));
}

export async function testEnvironment(addresses: Addresses): Promise<Record<string, string>> {
  return {
    TEST_POSTGRES_ADMIN_URL: addresses.postgres,
    ...forTests(addresses.kafka.tests),
    ...forTests(addresses.rabbitmq.tests),
    TEST_CONSUL_URL: '',
    ...forTests(addresses.consul?.tests ?? {}),
    TEST_CONSUL_BIN: (await findConsul()) ?? '',
    TEST_SMTP_URL: addresses.mail,
    TEST_INBOX_URL: addresses.inbox ?? '',
  };
}

/** Without what follows a question mark, too. */
function withoutPassword(address: string): string {
  return address.replace(/\/\/[^@/]*@/, '//').replace(/\?.*/, '');
}
