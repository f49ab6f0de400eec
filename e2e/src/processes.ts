/** Stops, starts and crashes parts of the platform on this machine, with the same commands that people use. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from './platform.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

async function infra(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [join(root, 'infra/src/cli.ts'), ...args], { cwd: root });
  return stdout.trim();
}

export const stopProcess = (name: string) => infra('stop', name);
export const startProcess = (name: string) => infra('start', name);
export const restartProcess = (name: string) => infra('restart', name);

/** Rejects if the process does not run. */
export const pidOf = async (name: string) => Number(await infra('pid', name));

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
