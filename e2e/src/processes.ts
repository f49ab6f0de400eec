/** Stops, starts and crashes parts of the platform on this machine, with the same commands that people use. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from './platform.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

/** The commands of tests know nothing of the tests' own settings. Without INSTANCES, there are two of each service, as in `make drills`. */
const ENVIRONMENT = {
  ...process.env,
  INSTANCES: process.env.INSTANCES ?? '2',
  FAULTS: '1',
  NODE_OPTIONS: '',
};

const infra = (...args: string[]) => infraWith({}, ...args);

async function infraWith(settings: Record<string, string>, ...args: string[]): Promise<string> {
  const options = { cwd: root, env: { ...ENVIRONMENT, ...settings }, maxBuffer: 256 * 1024 * 1024 };
  const { stdout } = await run(process.execPath, [join(root, 'infra/src/cli.ts'), ...args], options);
  return stdout.trim();
}

/** Starts what does not run, servers and services. Restarts services whose settings, such as `AUTH__LOG_LEVEL`, have changed. */
export const startPlatform = (settings: Record<string, string> = {}) => infraWith(settings, 'up');
export const takeBackup = () => infra('backup');
export const checkBackup = () => infra('check-backup');
/** Takes all databases back to a moment. The whole platform stops and starts. */
export const restoreBackup = (to: Date) => infra('restore', to.toISOString());

export const stopProcess = (name: string) => infra('stop', name);
export const startProcess = (name: string) => infra('start', name);
export const restartProcess = (name: string) => infra('restart', name);

/** Starts the servers that do not run, and provisions all of them. Services are left as they are. */
export const startServers = () => infra('servers');

/** Rejects if the process does not run. */
export const pidOf = async (name: string) => Number(await infra('pid', name));

/** The pids of all processes, by name. Waits for those that start, such as one that an earlier test has killed. */
export function allPids(): Promise<Record<string, number>> {
  return eventually(async () => {
    const processes = [...(await infra('status')).matchAll(/^\S (\S+)\s+([A-Z]+)(?:\s+pid (\d+))?/gm)];
    const absent = processes.filter(([, , state]) => state !== 'RUNNING').map(([, name]) => name);
    if (absent.length > 0) throw new Error(`do not run: ${absent.join(', ')}`);
    return Object.fromEntries(processes.map(([, name, , pid]) => [name, Number(pid)]));
  });
}

/** Stops all instances of a service, and returns a function that starts them. */
export async function stopService(service: string): Promise<() => Promise<void>> {
  const all = [...(await infra('status')).matchAll(/^\S (\S+)\s+[A-Z]+/gm)].map(([, name]) => name ?? '');
  const names = all.filter((name) => name === service || name === `${service}-2`);
  for (const name of names) await stopProcess(name);
  return async () => {
    for (const name of names) await startProcess(name);
  };
}

/** Kills with -9, as soon as the process runs. A process that has just died has no pid yet; the supervisor restarts it. */
export async function crash(name: string): Promise<void> {
  process.kill(await eventually(() => pidOf(name)), 'SIGKILL');
}

/** Makes the next process that reaches this fault point die there, once. */
export function arm(faultPoint: string): void {
  const folder = join(root, '.local/faults');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, faultPoint), '');
}

/** Resolves once a process has died at the fault point. */
export function diedAt(faultPoint: string): Promise<void> {
  return eventually(
    async () => {
      if (existsSync(join(root, '.local/faults', faultPoint)))
        throw new Error(`no process reached ${faultPoint}`);
    },
    { everyMs: 20 },
  );
}

/** Runs a command in a service's folder with that service's environment, and returns its output. */
export const runIn = (service: string, ...command: string[]) => infra('exec', service, ...command);
