/** Runs RabbitMQ as a separate node beside any other on the machine, with its own name, ports, folders and cookie. */
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { installDebianPackages } from '../debian.ts';
import { local } from '../paths.ts';
import type { Note } from '../progress.ts';
import { type RabbitUser, rabbitDefinitions, rabbitUrls } from '../provision/rabbitmq.ts';
import { isExecutable, which } from '../run.ts';
import type { Secrets } from '../secrets.ts';
import type { ClientSettings, Settings } from '../settings.ts';
import { fingerprint, type Program } from '../supervisor-config.ts';
import { caFile, identityFile } from '../tls/tls-files.ts';
import type { Server } from './server.ts';

/** The script itself. Debian's wrapper on the PATH changes to the user rabbitmq, who cannot enter our folders. */
const SCRIPT = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** Erlang's schedulers poll for work for a while before they sleep, on cores that other processes need. */
const NO_BUSY_WAIT = ['+sbwt none', '+sbwtdcpu none', '+sbwtdio none'];

const folder = join(local, 'rabbitmq');

export interface RabbitServer extends Server {
  /** For each user, the settings of a client. */
  readonly clients: Readonly<Record<RabbitUser, ClientSettings>>;
}

/** `isContained` is true for a server in a container: its connections stay plaintext. */
export function rabbitmq(settings: Settings, secret: Secrets, isContained: boolean): RabbitServer {
  const { ports, external } = settings;
  const hasTls = !external.rabbitmq && !isContained;
  const own = `${hasTls ? 'amqps' : 'amqp'}://127.0.0.1:${ports.rabbitmq}`;
  const url = external.rabbitmq?.RABBITMQ_URL ?? own;
  const ca = external.rabbitmq?.RABBITMQ_CA_FILE ?? (hasTls ? caFile : undefined);
  return {
    name: 'rabbitmq',
    url,
    clients: external.rabbitmq ? sharedBy(external.rabbitmq) : clientsOf(own, ca, secret),
    ports: ['rabbitmq', 'rabbitmq_cluster', 'rabbitmq_epmd'],
    async prepare(note) {
      const server = await findServer(note);
      await mkdir(folder, { recursive: true });
      const definitions = rabbitDefinitions(secret);
      const contents = configuration(settings);
      await writeFile(DEFINITIONS, definitions, { mode: 0o600 });
      await writeFile(join(folder, 'rabbitmq.conf'), contents, { mode: 0o600 });
      await writeFile(join(folder, 'plugins'), '[].\n');
      const certificate = await readFile(identityFile('rabbitmq'), 'utf8');
      const files = `${contents}${definitions}${certificate}`;
      return programs(server, (await which('epmd')) ?? 'epmd', settings, files);
    },
    ping: () => sayHello(url, ca),
  };
}

function clientsOf(
  server: string,
  ca: string | undefined,
  secret: Secrets,
): Record<RabbitUser, ClientSettings> {
  const entries = Object.entries(rabbitUrls(server, secret)).map(([user, url]) => [
    user,
    { RABBITMQ_URL: url, ...(ca && { RABBITMQ_CA_FILE: ca }) },
  ]);
  return Object.fromEntries(entries) as Record<RabbitUser, ClientSettings>;
}

/** A server that is given by the environment has the users that its owner created. */
function sharedBy(given: ClientSettings): Record<RabbitUser, ClientSettings> {
  return { auth: given, payment: given, notification: given, tests: given };
}

async function findServer(note: Note): Promise<string> {
  const find = async () => ((await isExecutable(SCRIPT)) ? SCRIPT : which('rabbitmq-server'));
  const found = await find();
  if (found) return found;
  await installDebianPackages(['rabbitmq-server'], 'RabbitMQ', note);
  return (await find()) ?? SCRIPT;
}

const DEFINITIONS = join(folder, 'definitions.json');

/** The node imports the definitions at each start. */
function configuration({ ports }: Settings): string {
  const identity = identityFile('rabbitmq');
  return `listeners.tcp = none
listeners.ssl.1 = 127.0.0.1:${ports.rabbitmq}
ssl_options.cacertfile = ${caFile}
ssl_options.certfile = ${identity}
ssl_options.keyfile = ${identity}
ssl_options.versions.1 = tlsv1.3
ssl_options.verify = verify_none
ssl_options.fail_if_no_peer_cert = false
load_definitions = ${DEFINITIONS}
log.console = true
log.console.level = warning
log.file = false
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 200MB
`;
}

/**
 * Two programs: the node, and epmd, the port mapper of Erlang nodes. The node would start epmd as a daemon that outlives it and
 * listens on every address. So epmd runs under the supervisor, on loopback.
 */
function programs(server: string, epmd: string, { ports }: Settings, contents: string): Program[] {
  const env = {
    ...fingerprint(contents),
    HOME: folder, // Erlang keeps the node's cookie here.
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(ports.rabbitmq_epmd),
    RABBITMQ_NODENAME: 'payflowx@localhost',
    RABBITMQ_DIST_PORT: String(ports.rabbitmq_cluster),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: [
      '-kernel inet_dist_use_interface {127,0,0,1}',
      ...NO_BUSY_WAIT,
    ].join(' '),
    RUNNING_UNDER_SYSTEMD: 'true', // The script then replaces itself by the node instead of waiting for it.
  };
  return [
    { name: 'epmd', command: [epmd], folder, env, stopSignal: 'TERM' },
    { name: 'rabbitmq', command: [server], folder, env, stopSignal: 'TERM', isBackground: true },
  ];
}

/** Sends the AMQP 0-9-1 header. A started node answers with a frame. */
function sayHello(address: string, ca: string | undefined): Promise<void> {
  const { hostname: host, port, protocol } = new URL(address);
  return new Promise((resolve, reject) => {
    const socket =
      protocol === 'amqps:'
        ? connectTls({
            host,
            port: Number(port || 5671),
            timeout: 2_000,
            ...(ca && { ca: readFileSync(ca) }),
          })
        : connect({ host, port: Number(port || 5672), timeout: 2_000 });
    const end = (error?: Error) => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    socket.once(protocol === 'amqps:' ? 'secureConnect' : 'connect', () =>
      socket.write('AMQP\0\0\u0009\u0001'),
    );
    socket.once('data', () => end());
    socket.once('error', end);
    socket.once('timeout', () => end(new Error('no answer')));
    socket.once('close', () => end(new Error('closed')));
  });
}
