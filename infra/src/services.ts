/** The seven services as programs, each with its environment. */

import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from './failure.ts';
import { local, root } from './paths.ts';
import { certificateFiles } from './provision/certificates.ts';
import type { KafkaUser } from './provision/kafka-access.ts';
import { type DatabaseName, roleUrls } from './provision/postgres.ts';
import type { RabbitUser } from './provision/rabbitmq.ts';
import { secretsHash } from './secret-files.ts';
import type { Secrets } from './secrets.ts';
import type { Addresses } from './servers/start.ts';
import type { Settings } from './settings.ts';
import { fingerprint, type Program } from './supervisor-config.ts';
import { caFile } from './tls/tls-files.ts';

interface Needs {
  readonly database?: DatabaseName;
  readonly kafka?: KafkaUser;
  readonly rabbitmq?: RabbitUser;
  /** True for a service outside the request path. It runs at a lower priority. */
  readonly isBackground?: true;
}

const SERVICES = {
  auth: { database: 'auth', rabbitmq: 'auth' },
  authorization: { database: 'authorization' },
  payment: { database: 'payment', kafka: 'payment', rabbitmq: 'payment' },
  ledger: { database: 'ledger', kafka: 'ledger', isBackground: true },
  notification: { database: 'notification', rabbitmq: 'notification', isBackground: true },
  analytics: { database: 'analytics', kafka: 'analytics', isBackground: true },
  gateway: {},
} as const satisfies Record<string, Needs>;

export type ServiceName = keyof typeof SERVICES;
export const SERVICE_NAMES = Object.keys(SERVICES) as ServiceName[];

const needsOf = (service: ServiceName): Needs => SERVICES[service];

/** Finds a service by the name that was typed in a command. */
export function serviceNamed(name: string): ServiceName {
  const service = SERVICE_NAMES.find((each) => each === name);
  if (service) return service;
  throw new Failure(`There is no service '${name}'.`, `Choose one of: ${SERVICE_NAMES.join(', ')}.`);
}

export interface Instance {
  readonly name: string;
  readonly service: ServiceName;
  readonly port: number;
  readonly metricsPort: number;
}

/** With this condition, Node resolves our packages to their sources. */
export const SOURCES = '--conditions=payflowx-source';

/** A start strips and compiles only changed files. V8 ignores code that was compiled under other flags. */
export const COMPILE_CACHE = { NODE_COMPILE_CACHE: join(local, 'compile-cache') };

/** kafkajs sometimes computes a negative delay. That is harmless, but Node 24 warns of it. */
const QUIET = '--disable-warning=TimeoutNegativeWarning';

/**
 * Seven heaps share one small machine. V8's default of up to 32 MB for each half of the young generation assumes a core and
 * gigabytes for each process. The garbage of a request fits into 8 MB, and a service keeps far less than the old generation's
 * limit.
 */
const HEAP_LIMITS = ['--max-semi-space-size=8', '--max-old-space-size=256'];

/**
 * V8 allocates objects in the old generation if earlier objects of the same kind lived long. In these services, no object
 * outlives its request. Such an object is soon dead, but keeps young objects alive until the next full collection. See
 * docs/internals/cost.md.
 */
const NO_PRETENURING = '--no-allocation-site-pretenuring';

/**
 * By default, V8 lets a small heap grow by 10 to 20 % before the next full collection. Under load that is once in 0.6 s, on a
 * thread without a core of its own. With 80 % it is once in 4 s, for more memory. So only services on the request path get it.
 * See docs/internals/cost.md.
 */
const HEAP_GROWTH = '--heap-growing-percent=80';

/** On a developer's machine, the demo, the tests and the load generator are few users with many requests. */
const HIGH_QUOTAS = {
  REQUESTS_PER_MINUTE: '10000000',
  LOGINS_PER_MINUTE: '600',
};

/** The services that have a part of the sandbox. */
const SANDBOXED: readonly ServiceName[] = ['gateway', 'authorization', 'payment', 'notification'];

/** Receivers of the demo and the tests listen on loopback. */
const LOCAL_WEBHOOKS = {
  WEBHOOK_ALLOW_HTTP: 'true',
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8,::1/128',
  WEBHOOK_PORTS: '*',
};

export function instances({ instances, ports }: Settings): Instance[] {
  const first = SERVICE_NAMES.map((service) => ({
    name: service,
    service,
    port: ports[service],
    metricsPort: ports[`${service}_metrics`],
  }));
  if (instances === 1) return first;
  const second = first.map(({ service, port, metricsPort }) => ({
    name: `${service}-2`,
    service,
    port: secondPort(service, port),
    metricsPort: metricsPort + 10,
  }));
  return [...first, ...second];
}

/** Below the ports that Linux gives to outgoing connections. */
function secondPort(service: ServiceName, port: number): number {
  return service === 'gateway' ? port + 1 : port - 30_000;
}

const LOOPBACK = '127.0.0.1';

export function serviceProgram(
  { name, service, port, metricsPort }: Instance,
  settings: Settings,
  addresses: Addresses,
  secret: Secrets,
): Program {
  const shared = serviceEnvironment(service, settings, addresses, secret);
  return {
    name,
    command: startCommand(service, profiling(name)),
    folder: join(root, service),
    env: {
      ...shared,
      ...(service === 'gateway'
        ? { HTTP_HOST: LOOPBACK, HTTP_PORT: String(port), HTTP_LISTEN_FD: '0' }
        : { GRPC_HOST: '127.0.0.1', GRPC_PORT: String(port), GRPC_REFLECTION: 'true' }),
      METRICS_PORT: String(metricsPort),
      INSTANCE_ID: `${service}-127.0.0.1-${port}`,
      MALLOC_ARENA_MAX: '2', // glibc would keep a pool of freed memory for each of Node's threads.
      ...COMPILE_CACHE,
      // So `make up` restarts services that run older code, have older secrets, or trust an older authority.
      ...fingerprint([sources(service), secretsHash(shared), authority()].join(' ')),
    },
    stopSignal: 'TERM',
    isBackground: needsOf(service).isBackground ?? false,
    ...(service === 'gateway' && { socket: { host: LOOPBACK, port } }),
  };
}

/** Services read it when they start. It is missing before the first start of the servers. */
function authority(): string {
  return existsSync(caFile) ? readFileSync(caFile, 'utf8') : '';
}

/** Runs in the service's folder. */
export function startCommand(service: ServiceName, further: readonly string[] = []): string[] {
  const heap = needsOf(service).isBackground ? HEAP_LIMITS : [...HEAP_LIMITS, HEAP_GROWTH];
  return [process.execPath, SOURCES, QUIET, NO_PRETENURING, ...heap, ...further, 'src/main.ts'];
}

/** With PROFILE=payment,gateway, these processes write a CPU profile to .local/profiles when they end. */
function profiling(name: string): string[] {
  if (!process.env.PROFILE?.split(',').includes(name)) return [];
  return ['--cpu-prof', `--cpu-prof-dir=${join(local, 'profiles')}`, `--cpu-prof-name=${name}.cpuprofile`];
}

/** The environment that all instances of a service share, with its secrets. */
function serviceEnvironment(
  service: ServiceName,
  settings: Settings,
  addresses: Addresses,
  secret: Secrets,
): Record<string, string> {
  const { database, kafka, rabbitmq } = needsOf(service);
  const roles = database && roleUrls(addresses.postgres, database, secret);
  return {
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'info',
    ...(addresses.consul?.[service] ?? { CONSUL_URL: '' }),
    ...(addresses.consul ? {} : fixedTargets(settings)),
    // Not from Consul: its agent gives a certificate that it has signed to every client, with the key.
    ...certificateFiles(service),
    ...(roles && { POSTGRES_URL: roles.serving }),
    ...(kafka && addresses.kafka[kafka]),
    ...(rabbitmq && addresses.rabbitmq[rabbitmq]),
    ...(SANDBOXED.includes(service) && { SANDBOX: process.env.SANDBOX ?? 'on' }),
    ...(service !== 'gateway' && { PAGE_TOKEN_KEY: secret(`key/page-tokens/${service}`) }),
    ...(service === 'auth' && {
      AUTH_SEALING_KEY: secret('key/auth-sealing'),
      PUBLIC_URL: `http://${LOOPBACK}:${settings.ports.gateway}`,
      ...passkeySettings(settings),
    }),
    ...(service === 'notification' && {
      ...LOCAL_WEBHOOKS,
      WEBHOOK_SEALING_KEY: secret('key/webhook-sealing'),
    }),
    ...(service === 'gateway' && { ...HIGH_QUOTAS, ...builtConsole() }),
    ...(service === 'notification' && mailSettings(settings, addresses)),
    ...(settings.traces && tracesSettings(settings)),
    ...(settings.faults && { FAULTS_DIR: join(local, 'faults') }),
    ...chosen(service),
  };
}

/** Passkeys belong to a domain, and browsers take no address in its place. So the console has them at localhost, not at 127.0.0.1. */
function passkeySettings(settings: Settings): Record<string, string> {
  const gateways = instances(settings).filter(({ service }) => service === 'gateway');
  const origins = gateways.map(({ port }) => `http://localhost:${port}`);
  return { PASSKEY_RP_ID: 'localhost', PASSKEY_ORIGINS: origins.join(',') };
}

/** On a developer's machine, every trace is worth keeping. */
function tracesSettings({ ports }: Settings): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${LOOPBACK}:${ports.jaeger_otlp}`,
    OTEL_TRACES_SAMPLER_ARG: process.env.OTEL_TRACES_SAMPLER_ARG ?? '1',
  };
}

/** `make setup` builds the console. A gateway of a checkout without it has no /console. */
function builtConsole(): Record<string, string> {
  const folder = join(root, 'console/dist');
  return existsSync(join(folder, 'index.html')) ? { CONSOLE_DIR: folder } : {};
}

/** The local mail server has no encryption. A given one needs it, unless NOTIFICATION__SMTP_STARTTLS says otherwise. */
function mailSettings({ ports, external }: Settings, { mail }: Addresses): Record<string, string> {
  return {
    SMTP_URL: mail,
    MAIL_FROM: 'no-reply@payflowx.example',
    PUBLIC_URL: `http://${LOOPBACK}:${ports.gateway}`,
    ...(external.mail ? {} : { SMTP_STARTTLS: 'off' }),
  };
}

/** The environment of commands that an operator runs in a service's folder. Only they get the role that owns the database. */
export function operatorEnvironment(
  service: ServiceName,
  settings: Settings,
  addresses: Addresses,
  secret: Secrets,
): Record<string, string> {
  const { database } = needsOf(service);
  const roles = database && roleUrls(addresses.postgres, database, secret);
  return {
    ...serviceEnvironment(service, settings, addresses, secret),
    ...(roles && { POSTGRES_MIGRATE_URL: roles.migrating }),
  };
}

/** Settings for one service: GATEWAY__LOG_LEVEL=debug reaches the gateway as LOG_LEVEL. */
function chosen(service: ServiceName): Record<string, string> {
  const prefix = `${service.toUpperCase()}__`;
  const variables = Object.entries(process.env).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(variables.map(([name, value = '']) => [name.slice(prefix.length), value]));
}

/** Without a registry, every service gets the addresses of all instances of the others. */
function fixedTargets(settings: Settings): Record<string, string> {
  const all = instances(settings).filter(({ service }) => service !== 'gateway');
  const targets = SERVICE_NAMES.filter((service) => service !== 'gateway').map((service) => {
    const addresses = all.filter((each) => each.service === service).map(({ port }) => `127.0.0.1:${port}`);
    return [`${service.toUpperCase()}_TARGET`, `ipv4:${addresses.join(',')}`];
  });
  return Object.fromEntries(targets);
}

/** Name, time and size of every file that the service runs. */
export function sources(service: ServiceName): string {
  const folders = `{${service}/{src,migrations},{chassis,registry}/src,proto/{src,gen}}`;
  const pages = service === 'gateway' ? globSync('console/dist/index.html', { cwd: root }) : [];
  const files = [
    ...globSync(`${folders}/**/*.{ts,sql}`, { cwd: root }).sort(),
    ...pages,
    'package-lock.json',
  ];
  const lines = files.map((file) => {
    const { mtimeMs, size } = statSync(join(root, file));
    return `${file} ${mtimeMs} ${size}`;
  });
  return lines.join('\n');
}
