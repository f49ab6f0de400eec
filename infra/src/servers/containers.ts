/** Runs the servers as containers, if a container engine is available. */
import { root } from '../paths.ts';
import { capture, logged, which } from '../run.ts';
import type { Secrets } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import type { ServerName } from './server.ts';

export interface Containers {
  start(servers: ServerName[]): Promise<void>;
  stop(): Promise<void>;
  /** Creates RabbitMQ's users and their permissions. */
  importDefinitions(definitions: string): Promise<void>;
}

/**
 * Calls the engines instead of searching the PATH, because a client without an engine is common. PAYFLOWX_CONTAINERS=0 skips
 * them.
 */
export async function findContainers(settings: Settings, secret: Secrets): Promise<Containers | undefined> {
  if (process.env.PAYFLOWX_CONTAINERS === '0') return undefined;
  for (const engine of ['docker', 'podman']) {
    if (!(await which(engine))) continue;
    const asked = await capture([engine, 'info'], { timeout: 5_000 });
    const compose = asked.code === 0 ? await capture([engine, 'compose', 'version']) : asked;
    if (compose.code === 0) return containersOf(engine, settings, secret);
  }
  return undefined;
}

function containersOf(engine: string, { ports }: Settings, secret: Secrets): Containers {
  const env = {
    ...process.env,
    POSTGRES_PASSWORD: secret('postgres/superuser'),
    RABBITMQ_PASSWORD: secret('rabbitmq/payflowx'),
    ...Object.fromEntries(
      Object.entries(ports).map(([name, port]) => [`PORT_${name.toUpperCase()}`, String(port)]),
    ),
  };
  // The project name has the port, so two checkouts on one machine have separate containers.
  const compose = [
    engine,
    'compose',
    '--project-name',
    `payflowx-${ports.gateway}`,
    '--file',
    `${root}/compose.yaml`,
  ];
  const remedy = `See \`${compose.join(' ')} logs\`, or run natively with PAYFLOWX_CONTAINERS=0.`;
  return {
    start: (servers) =>
      logged('containers', [...compose, 'up', '--detach', '--wait', ...servers], remedy, { env }),
    importDefinitions: (definitions) =>
      logged('containers-rabbitmq', [...compose, ...IMPORT], remedy, {
        env: { ...env, DEFINITIONS: definitions },
      }),
    stop: () => logged('containers-stop', [...compose, 'stop'], remedy, { env }),
  };
}

/** The definitions have hashes of passwords, so they are passed as a variable and not as an argument, which every account can read. */
const IMPORT = [
  ...['exec', '-T', '-e', 'DEFINITIONS', 'rabbitmq', 'sh', '-c'],
  'printf %s "$DEFINITIONS" | rabbitmqctl import_definitions --format=json',
];
