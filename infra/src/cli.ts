/** The commands behind the Makefile: `node infra/src/cli.ts <command>`. */
import { inTurn } from './backup/archive.ts';
import { checkBackup } from './backup/check-backup.ts';
import { restoreBackup } from './backup/restore-backup.ts';
import { takeBackup } from './backup/take-backup.ts';
import { testChart } from './chart/chart.ts';
import { check } from './checks/check.ts';
import { lift } from './checks/lift.ts';
import { conclude } from './checks/tally.ts';
import { drill, test, testFaults } from './checks/test.ts';
import { testUpgrade } from './checks/upgrade.ts';
import { explain, Failure } from './failure.ts';
import { buildImages } from './images/images.ts';
import { observe } from './observe/observe.ts';
import { down, exclusively, up, upServers } from './platform.ts';
import { control, execute, followLogs, printPid, printStatus } from './processes.ts';
import { openSecrets } from './secrets.ts';
import { buildConsul } from './servers/consul-build.ts';
import { readAddresses } from './servers/start.ts';
import { SERVICE_NAMES, serviceNamed } from './services.ts';
import { loadSettings } from './settings.ts';

const settings = () => loadSettings(process.env);

/** `make up` continues without Consul if its build takes long. Tests of the registry need Consul, so they wait for it. */
const waitingForConsul = () => ({ ...settings(), consulWaitMs: 30 * 60_000 });

const COMMANDS: Record<string, (...args: string[]) => Promise<unknown>> = {
  up: () => exclusively(() => up(settings(), openSecrets())),
  servers: () => exclusively(() => upServers(settings(), openSecrets())),
  down: () => exclusively(() => down(settings(), openSecrets())),
  observe: () => exclusively(() => observe(settings())),
  status: () => printStatus(settings()),
  start: (process = '') => control('start', process),
  stop: (process = '') => control('stop', process),
  restart: (process = '') => control('restart', process),
  pid: (process = '') => printPid(process),
  exec: (service = '', ...command) => execute(serviceNamed(service), command, settings(), openSecrets()),
  logs: (...processes) => followLogs(processes),
  backup: () => inTurn(async () => takeBackup((await readAddresses()).postgres)),
  'check-backup': () => inTurn(async () => checkBackup((await readAddresses()).postgres)),
  restore: (to = '') => exclusively(() => inTurn(() => restoreBackup(to, settings(), openSecrets()))),
  check: async () => conclude(await check()),
  // Loaded on demand: no other command needs textlint.
  prose: async (folder) => (await import('./checks/prose/prose.ts')).printProse(folder),
  // Loaded on demand, like the next: only they need their libraries.
  sbom: async (name) => (await import('./checks/supply-chain/sbom.ts')).writeBills(name),
  test: async () => conclude(await test(waitingForConsul(), openSecrets())),
  'test-faults': async () => conclude(await testFaults(waitingForConsul(), openSecrets())),
  drills: async () => conclude(await drill(waitingForConsul(), openSecrets())),
  // Loaded on demand: its configuration changes the environment.
  mutate: async (name) => conclude(await (await import('./checks/mutate.ts')).mutate(name)),
  async lift(name) {
    const services = name ? [serviceNamed(name)] : SERVICE_NAMES;
    conclude(await lift(services, waitingForConsul(), openSecrets()));
  },
  'test-upgrade': async (from) => conclude(await testUpgrade(from, waitingForConsul(), openSecrets())),
  images: (name) => buildImages(name),
  chart: async () => conclude(await testChart()),
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
