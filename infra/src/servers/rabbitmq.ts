/** Runs RabbitMQ as a separate node beside any other on the machine, with its own name, ports, folders and cookie. */
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { installDebianPackages } from '../debian.ts';
import { local } from '../paths.ts';
import type { Note } from '../progress.ts';
import { rabbitDefinitions } from '../provision/rabbitmq.ts';
import { isExecutable, which } from '../run.ts';
import type { Secrets } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import { fingerprint, type Program } from '../supervisor-config.ts';
import type { Server } from './server.ts';

/** The script itself. Debian's wrapper on the PATH changes to the user rabbitmq, who cannot enter our folders. */
const SCRIPT = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** Erlang's schedulers poll for work for a while before they sleep, on cores that other processes need. */
const NO_BUSY_WAIT = ['+sbwt none', '+sbwtdcpu none', '+sbwtdio none'];

const folder = join(local, 'rabbitmq');

export function rabbitmq(settings: Settings, secret: Secrets): Server {
  const { ports } = settings;
  const url = settings.external.rabbitmq ?? `amqp://127.0.0.1:${ports.rabbitmq}`;
  return {
    name: 'rabbitmq',
    url,
    ports: ['rabbitmq', 'rabbitmq_cluster', 'rabbitmq_epmd'],
    async prepare(note) {
      const server = await findServer(note);
      await mkdir(folder, { recursive: true });
      const definitions = rabbitDefinitions(secret);
      const contents = configuration(settings);
      await writeFile(DEFINITIONS, definitions, { mode: 0o600 });
      await writeFile(join(folder, 'rabbitmq.conf'), contents, { mode: 0o600 });
      await writeFile(join(folder, 'plugins'), '[].\n');
      return programs(server, (await which('epmd')) ?? 'epmd', settings, `${contents}${definitions}`);
    },
    ping: () => sayHello(url),
  };
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
  return `listeners.tcp.1 = 127.0.0.1:${ports.rabbitmq}
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
function sayHello(url: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port || 5672), timeout: 2_000 });
    const end = (error?: Error) => {
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    socket.once('connect', () => socket.write('AMQP\0\0\u0009\u0001'));
    socket.once('data', () => end());
    socket.once('error', end);
    socket.once('timeout', () => end(new Error('no answer')));
    socket.once('close', () => end(new Error('closed')));
  });
}
