/** Controls single processes, for people and for fault tests: list, stop, start, follow the log. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from './failure.ts';
import { logs, root } from './paths.ts';
import { show } from './run.ts';
import { withSecretFiles } from './secret-files.ts';
import type { Secrets } from './secrets.ts';
import { inboxPage } from './servers/mail.ts';
import { readAddresses } from './servers/start.ts';
import { operatorEnvironment, type ServiceName, SOURCES } from './services.ts';
import type { Settings } from './settings.ts';
import { findRunningSupervisor, HOLDER, type ProcessState, type Supervisor } from './supervisor.ts';

export async function printStatus(settings: Settings): Promise<void> {
  const supervisor = await findRunningSupervisor();
  if (!supervisor) {
    console.log('No process runs here. Start the platform with `make up`.');
    return;
  }
  for (const { name, state, detail } of await supervisor.states()) {
    console.log(`${state === 'RUNNING' ? '✓' : '✗'} ${name.padEnd(17)} ${state.padEnd(9)} ${detail}`);
  }
  const inbox = inboxPage(settings);
  if (inbox) console.log(`  The mails that were sent: ${inbox}`);
}

export async function control(command: 'start' | 'stop' | 'restart', process: string): Promise<void> {
  const { supervisor, found, all } = await find(process);
  // A program that is stopped does not listen. One that restarts does: its callers wait.
  const holder =
    command === 'restart' ? undefined : all.find(({ name }) => name === `${found.name}${HOLDER}`);
  const names = [found, ...(holder ? [holder] : [])].map(({ fullName }) => fullName);
  console.log(await supervisor.control(command, ...names));
}

/** Fails if the process does not run. supervisorctl then prints 0, and `kill 0` would end the caller's own process group. */
export async function printPid(process: string): Promise<void> {
  const { supervisor, found } = await find(process);
  const pid = await supervisor.control('pid', found.fullName);
  if (!/^[1-9]\d*$/.test(pid)) throw new Failure(`'${process}' is not running.`, 'See `make status`.');
  console.log(pid);
}

export async function followLogs(processes: string[]): Promise<void> {
  const all = (await readdir(logs)).filter((file) => file.endsWith('.log'));
  const files = processes.length > 0 ? processes.map((name) => `${name}.log`) : all;
  await show(['tail', '-n', '20', '-F', ...files], { cwd: logs });
}

/** Runs a command in a service's folder with that service's environment. */
export async function execute(service: ServiceName, command: string[], settings: Settings, secret: Secrets) {
  const environment = withSecretFiles(
    service,
    operatorEnvironment(service, settings, await readAddresses(), secret),
  );
  const env = { ...process.env, ...environment, NODE_OPTIONS: SOURCES };
  process.exitCode = await show(command, { cwd: join(root, service), env });
}

async function find(
  process: string,
): Promise<{ supervisor: Supervisor; found: ProcessState; all: ProcessState[] }> {
  const supervisor = await findRunningSupervisor();
  if (!supervisor) throw new Failure('The platform is not running.', 'Start it with `make up`.');
  const all = await supervisor.states();
  const found = all.find(({ name }) => name === process);
  if (found) return { supervisor, found, all };
  const names = all.map(({ name }) => name).join(', ');
  throw new Failure(`There is no process '${process}'.`, `There are: ${names}.`);
}
