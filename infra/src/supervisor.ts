/** Starts, queries and stops the supervisor that runs the platform's processes. */
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from './failure.ts';
import { endOrphans } from './orphans.ts';
import { local, logs } from './paths.ts';
import type { Note } from './progress.ts';
import { capture, poll, tail } from './run.ts';
import {
  type Group,
  groupConfig,
  groupConfigPath,
  HOLDER_SUFFIX,
  MARK,
  SERVER_SUFFIX,
  supervisordConfig,
} from './supervisor-config.ts';
import { findSupervisor } from './supervisor-install.ts';

const CONFIG = join(local, 'supervisor/supervisord.conf');

/** The processes' environment does not depend on the terminal that started them. */
const BASE_ENV = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', LANG: 'C.UTF-8', TZ: 'UTC' };

export interface ProcessState {
  readonly group: string;
  readonly name: string;
  /** Its name in supervisorctl. */
  readonly fullName: string;
  readonly state: string;
  readonly detail: string;
}

export interface Supervisor {
  /** Runs these programs, and restarts those whose configuration has changed. */
  run(group: Group): Promise<void>;
  /** Ends these programs and forgets them. Does nothing where there is no such group. */
  remove(group: string): Promise<void>;
  control(...command: string[]): Promise<string>;
  states(): Promise<ProcessState[]>;
  shutdown(): Promise<void>;
}

/** Returns the running supervisor, or starts one. */
export async function startSupervisor(note: Note): Promise<Supervisor> {
  const python = await findSupervisor(note);
  const running = await connect(python).catch(() => undefined);
  if (running) return running;

  await endOrphans(note);
  await rm(dirname(groupConfigPath('any')), { recursive: true, force: true });
  await mkdir(dirname(groupConfigPath('any')), { recursive: true });
  await mkdir(logs, { recursive: true });
  await chmod(dirname(CONFIG), 0o700); // The configuration contains the services' passwords.
  await writeFile(CONFIG, supervisordConfig, { mode: 0o600 });

  const env = { ...BASE_ENV, [MARK.name]: MARK.value };
  const { code, output } = await capture([python, '-m', 'supervisor.supervisord', '-c', CONFIG], { env });
  const started = code === 0 ? await poll(() => connect(python), 10_000) : undefined;
  if (started) return started;
  const log = join(logs, 'supervisor.log');
  throw new Failure(`The supervisor did not start: ${output}\n    ${await tail(log)}`, `Its log is ${log}.`);
}

/** Returns the running supervisor, or undefined. */
export async function findRunningSupervisor(): Promise<Supervisor | undefined> {
  const python = await findSupervisor(() => undefined);
  return connect(python).catch(() => undefined);
}

/** Rejects if none answers. */
async function connect(python: string): Promise<Supervisor> {
  const supervisor = controlOf(python);
  const pid = await supervisor.control('pid');
  if (!/^\d+$/.test(pid)) throw new Error(pid);
  return supervisor;
}

function controlOf(python: string): Supervisor {
  const ask = (...command: string[]) =>
    capture([python, '-m', 'supervisor.supervisorctl', '-c', CONFIG, ...command], { env: BASE_ENV });

  async function control(...command: string[]): Promise<string> {
    const { output } = await ask(...command);
    // supervisorctl exits with 0 for most failures, and not with 0 if a program is stopped. So the output decides.
    const problem = /ERROR|refused|no such file|SHUTDOWN_STATE|Traceback/.exec(output);
    if (problem) throw new Failure(`supervisorctl ${command.join(' ')}: ${output.trim()}`, `See ${logs}.`);
    return output.trim();
  }

  return {
    control,
    async run(group) {
      const changed = await writeConfig(group);
      const processes = (await states(ask)).filter((process) => process.group === group.name);
      if (changed || processes.length === 0) {
        await control('update', group.name);
        return;
      }
      const stopped = processes.filter(({ state }) => /STOPPED|EXITED|FATAL/.test(state)); // For example stopped by hand.
      if (stopped.length > 0) await control('start', ...stopped.map(({ fullName }) => fullName));
    },
    async remove(group) {
      const path = groupConfigPath(group);
      if (!(await readFile(path).catch(() => undefined))) return;
      await rm(path);
      await control('update', group);
    },
    states: () => states(ask),
    async shutdown() {
      const pid = Number(await control('pid'));
      await control('shutdown');
      await poll(async () => requireEnded(pid), 60_000);
    },
  };
}

function requireEnded(pid: number): true {
  try {
    process.kill(pid, 0);
  } catch {
    return true;
  }
  throw new Error(`process ${pid} still runs`);
}

async function writeConfig(group: Group): Promise<boolean> {
  const path = groupConfigPath(group.name);
  const config = groupConfig(group);
  if ((await readFile(path, 'utf8').catch(() => '')) === config) return false;
  await writeFile(`${path}.new`, config, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return true;
}

async function states(ask: (...command: string[]) => Promise<{ output: string }>): Promise<ProcessState[]> {
  const { output } = await ask('status');
  return output
    .split('\n')
    .map((line) => /^(?:([^\s:]+):)?(\S+)\s+([A-Z]+)\s*(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, group, name = '', state = '', detail = '']) => ({
      group: group ?? name,
      name: nameOf(name),
      fullName: `${group ?? name}:${name}`,
      state,
      detail,
    }));
}

export const HOLDER = '-socket';

/** A program with a socket is two processes: `gateway`, and `gateway-socket` which keeps the socket open. */
function nameOf(process: string): string {
  if (process.endsWith(SERVER_SUFFIX)) return process.slice(0, -SERVER_SUFFIX.length);
  if (process.endsWith(HOLDER_SUFFIX)) return `${process.slice(0, -HOLDER_SUFFIX.length)}${HOLDER}`;
  return process;
}
