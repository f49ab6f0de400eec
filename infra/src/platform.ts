/** Starts, stops and lists the whole platform. */
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { compileServices } from './compile.ts';
import { DEMO_FILE, ensureDemo, ensureIdentities } from './demo-data.ts';
import { Failure, together } from './failure.ts';
import { withLock } from './lock.ts';
import { migrateDatabases } from './migrations.ts';
import { endOrphans } from './orphans.ts';
import { local, logs } from './paths.ts';
import { makePrivate } from './private-folders.ts';
import { say, step } from './progress.ts';
import { ensureServiceCertificates } from './provision/certificates.ts';
import { withReservedPorts } from './reserved-ports.ts';
import { poll, tail } from './run.ts';
import { withSecretFiles } from './secret-files.ts';
import type { Secrets } from './secrets.ts';
import { findContainers } from './servers/containers.ts';
import { type Addresses, startServers } from './servers/start.ts';
import { type Instance, instances, SERVICE_NAMES, serviceProgram } from './services.ts';
import type { Settings } from './settings.ts';
import { findRunningSupervisor, type Supervisor, startSupervisor } from './supervisor.ts';
import type { Program } from './supervisor-config.ts';
import { requireFreePorts } from './taken-ports.ts';

const GROUP = 'services';
const SERVICES_RANK = 200;
/** They are stopped first: they send requests to the services. */
const GATEWAYS_RANK = 300;
const GATEWAYS = ['gateway', 'gateway-2'];

/** Only one `make` at a time changes the running processes. */
export function exclusively<T>(work: () => Promise<T>): Promise<T> {
  return withLock(
    join(local, 'lock'),
    () => say('lock', 'another command is at work here; waiting for it'),
    work,
  );
}

export async function upServers(settings: Settings, secret: Secrets): Promise<Addresses> {
  const { addresses } = await reservingPorts(settings, () => start(settings, secret));
  return addresses;
}

export function up(settings: Settings, secret: Secrets): Promise<Addresses> {
  return reservingPorts(settings, () => upAll(settings, secret));
}

/** Keeps outgoing connections off the platform's ports during `work`. */
export function reservingPorts<T>(settings: Settings, work: () => Promise<T>): Promise<T> {
  return withReservedPorts(
    instances(settings).map(({ port }) => port),
    work,
  );
}

async function upAll(settings: Settings, secret: Secrets): Promise<Addresses> {
  const all = instances(settings);
  const starting = start(settings, secret);
  await together<unknown>([starting, compileServices()]);
  const { addresses, supervisor } = await starting;
  if (settings.faults) await mkdir(join(local, 'faults'), { recursive: true });
  await step('migrations', async () => {
    await migrateDatabases(settings, addresses, secret);
    return 'all databases have the tables of this version';
  });
  await step('services', async () => {
    await requirePortsFree(all, supervisor);
    const programs = all.map((instance) => {
      const program = serviceProgram(instance, settings, addresses, secret);
      return { ...program, env: withSecretFiles(instance.service, program.env) };
    });
    await runPrograms(programs, supervisor);
    const gateway = `http://127.0.0.1:${settings.ports.gateway}`;
    const [users] = await Promise.all([
      ensureIdentities(settings, addresses, secret),
      together(all.map((instance) => requireReady(instance))),
    ]);
    await ensureDemo(gateway, users);
    return `${all.length} processes ready, gateway at ${gateway}`;
  });
  say('demo', `users and accounts are in ${DEMO_FILE}`, '✓');
  if (addresses.inbox) say('mail', `the mails that were sent are at ${addresses.inbox}`, '✓');
  return addresses;
}

/** Services side by side in one group; each gateway, which has a socket, in a group of its own. */
async function runPrograms(programs: Program[], supervisor: Supervisor): Promise<void> {
  const services = programs.filter(({ socket }) => !socket);
  await supervisor.run({ name: GROUP, rank: SERVICES_RANK, programs: services });
  for (const name of GATEWAYS) {
    const gateway = programs.find((program) => program.name === name);
    if (gateway) await supervisor.run({ name, rank: GATEWAYS_RANK, programs: [gateway] });
    else await supervisor.remove(name);
  }
}

async function start(settings: Settings, secret: Secrets) {
  await makePrivate();
  const supervisor = startSupervisor((text) => say('supervisor', text));
  const addresses = await startServers(settings, secret, supervisor);
  await ensureServiceCertificates(SERVICE_NAMES);
  return { addresses, supervisor: await supervisor };
}

/** Stops services first, so that each can finish its work while its servers still run. */
export async function down(settings: Settings, secret: Secrets): Promise<void> {
  await step('platform', async (note) => {
    const supervisor = await findRunningSupervisor();
    if (supervisor) {
      note('stopping the services, then the servers');
      for (const group of [...GATEWAYS, GROUP]) {
        await supervisor.control('stop', `${group}:*`).catch(() => undefined); // Missing if only the servers run.
      }
      await supervisor.control('stop', 'all');
      await supervisor.shutdown();
    }
    await endOrphans(note);
    const containers = await findContainers(settings, secret);
    await containers?.stop();
    return 'stopped; data and logs stay in .local';
  });
}

async function requirePortsFree(all: readonly Instance[], supervisor: Supervisor): Promise<void> {
  const running = new Set((await supervisor.states()).map(({ name }) => name));
  const coming = all.filter(({ name }) => !running.has(name));
  await requireFreePorts(
    coming.flatMap(({ service, port, metricsPort }) => [
      { name: service, port },
      { name: `${service}_metrics` as const, port: metricsPort },
    ]),
  );
}

/** Seconds on a free machine. The limit is for one whose cores are shared: a restore must not end half-way because of it. */
const READY_WITHIN_MS = 300_000;

/** A service is ready when it listens; the gateway when it reports that the other services are reachable. */
async function requireReady({ name, service, port }: Instance): Promise<void> {
  const ask = service === 'gateway' ? () => askReadiness(port) : () => askPort(port);
  if (await poll(ask, READY_WITHIN_MS)) return;
  const log = join(logs, `${name}.log`);
  throw new Failure(
    `${name} is not ready on port ${port}. Its log ends with:\n    ${await tail(log)}`,
    `See ${log}.`,
  );
}

async function askReadiness(port: number): Promise<true> {
  const { ok } = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
  if (!ok) throw new Error('not ready');
  return true;
}

function askPort(port: number): Promise<true> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    socket.once('connect', () => resolve(true));
    socket.once('error', reject);
    socket.once('timeout', () => reject(new Error('no answer')));
    socket.once('connect', () => socket.destroy());
  });
}
