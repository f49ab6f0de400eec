/** The commands behind the Makefile: `node infra/src/cli.ts <command>`. */
import { check } from './checks/check.ts';
import { lift } from './checks/lift.ts';
import { conclude } from './checks/tally.ts';
import { test } from './checks/test.ts';
import { testUpgrade } from './checks/upgrade.ts';
import { explain, Failure } from './failure.ts';
import { down, exclusively, up, upServers } from './platform.ts';
import { control, execute, followLogs, printPid, printStatus } from './processes.ts';
import { openSecrets } from './secrets.ts';
import { buildConsul } from './servers/consul-build.ts';
import { SERVICE_NAMES, serviceNamed } from './services.ts';
import { loadSettings } from './settings.ts';

const settings = () => loadSettings(process.env);

/** `make up` continues without Consul if its build takes long. Tests of the registry need Consul, so they wait for it. */
const waitingForConsul = () => ({ ...settings(), consulWaitMs: 30 * 60_000 });

const COMMANDS: Record<string, (...args: string[]) => Promise<unknown>> = {
  up: () => exclusively(() => up(settings(), openSecrets())),
  servers: () => exclusively(() => upServers(settings(), openSecrets())),
  down: () => exclusively(() => down(settings(), openSecrets())),
  status: printStatus,
  start: (process = '') => control('start', process),
  stop: (process = '') => control('stop', process),
  restart: (process = '') => control('restart', process),
  pid: (process = '') => printPid(process),
  exec: (service = '', ...command) => execute(serviceNamed(service), command, settings(), openSecrets()),
  logs: (...processes) => followLogs(processes),
  check: async () => conclude(await check()),
  // Loaded on demand: no other command needs textlint.
  prose: async (folder) => (await import('./checks/prose/prose.ts')).printProse(folder),
  test: async () => conclude(await test(waitingForConsul(), openSecrets())),
  async lift(name) {
    const services = name ? [serviceNamed(name)] : SERVICE_NAMES;
    conclude(await lift(services, waitingForConsul(), openSecrets()));
  },
  'test-upgrade': async (from) => conclude(await testUpgrade(from, waitingForConsul(), openSecrets())),
  'build-consul': buildConsul,
};

const [name = '', ...args] = process.argv.slice(2);
try {
  const command = COMMANDS[name];
  if (!command)
    throw new Failure(`There is no command '${name}'.`, `There are: ${Object.keys(COMMANDS).join(', ')}.`);
  await command(...args);
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
