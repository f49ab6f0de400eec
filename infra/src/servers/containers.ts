/** Runs the servers as containers, if a container engine is available. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../paths.ts';
import { say } from '../progress.ts';
import { capture, logged, which } from '../run.ts';
import type { Secrets } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import type { ServerName } from './server.ts';

const COMPOSE_FILE = join(root, 'compose.yaml');

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
  const { engine } = await findEngine();
  return engine === undefined ? undefined : containersOf(engine, settings, secret);
}

/** Returns undefined, and says why, if an engine answers but cannot run the servers. */
export async function findUsableContainers(
  settings: Settings,
  secret: Secrets,
): Promise<Containers | undefined> {
  const { engine, withoutCompose } = await findEngine();
  if (engine === undefined) {
    if (withoutCompose)
      say('containers', `${withoutCompose} answers, but has no \`compose\`: the servers run natively`, '!');
    return undefined;
  }
  const problem = await problemOfImages(engine);
  if (problem === undefined) return containersOf(engine, settings, secret);
  say('containers', `${engine} answers, but ${problem}`, '!');
  say('containers', 'the servers run natively; PAYFLOWX_CONTAINERS=0 skips this attempt', '!');
  return undefined;
}

interface FoundEngine {
  readonly engine?: string;
  /** An engine that answers, if none of them has `compose`. */
  readonly withoutCompose?: string;
}

async function findEngine(): Promise<FoundEngine> {
  if (process.env.PAYFLOWX_CONTAINERS === '0') return {};
  let withoutCompose: string | undefined;
  for (const engine of ['docker', 'podman']) {
    if (!(await which(engine))) continue;
    const asked = await capture([engine, 'info'], { timeout: 5_000 });
    if (asked.code !== 0) continue;
    const compose = await capture([engine, 'compose', 'version']);
    if (compose.code === 0) return { engine };
    withoutCompose ??= engine;
  }
  return withoutCompose === undefined ? {} : { withoutCompose };
}

/** Pulls the images that are missing. Returns the problem in words if one cannot be pulled, as without a way to the registry. */
async function problemOfImages(engine: string): Promise<string | undefined> {
  const file = await readFile(COMPOSE_FILE, 'utf8');
  const images = [...file.matchAll(/^ +image: (\S+)$/gm)].flatMap(([, image]) => image ?? []);
  for (const image of images) {
    if ((await capture([engine, 'image', 'inspect', image])).code === 0) continue;
    say('containers', `pulling ${image}, once on this machine`);
    const { code, output } = await capture([engine, 'pull', '--quiet', image]);
    if (code !== 0) return `cannot pull ${image}: ${output.trim().split('\n').at(-1) ?? ''}`;
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
  const compose = [engine, 'compose', '--project-name', `payflowx-${ports.gateway}`, '--file', COMPOSE_FILE];
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
