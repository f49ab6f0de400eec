/**
 * `make test`: the checks, every package's tests on the real servers, then the tests of the console and the black-box tests, both on
 * the running platform. At the end the logs of the run are searched for secrets.
 */
import { join } from 'node:path';
import { explain } from '../failure.ts';
import { root } from '../paths.ts';
import { exclusively, reservingPorts, up, upServers } from '../platform.ts';
import type { Secrets } from '../secrets.ts';
import { testEnvironment } from '../servers/start.ts';
import { SOURCES } from '../services.ts';
import type { Settings } from '../settings.ts';
import { runConsole } from './browser.ts';
import { check } from './check.ts';
import { packagesWith } from './packages.ts';
import { logSizes, scanExits, scanLogs, scanPlatform } from './scan-logs.ts';
import { sideBySide } from './side-by-side.ts';
import { runSuite } from './suite.ts';
import { type Tally, total } from './tally.ts';

/** The suites that run against the whole platform, after those of the packages. */
const NEED_PLATFORM = ['e2e', 'console'];

/** The end-to-end tests need two instances of each service, with fault points armed. */
const END_TO_END = { instances: 2, faults: true } as const;

/** Never rejects. Connections of the tests must not take a port of the platform, which starts after them. */
export function test(settings: Settings, secret: Secrets): Promise<Tally> {
  const tested = { ...settings, ...END_TO_END };
  return reservingPorts(tested, () => testAll(tested, secret));
}

/** If the platform does not start, that counts as a failed test. */
async function testAll(settings: Settings, secret: Secrets): Promise<Tally> {
  // Reports of tests may contain secrets of the test servers.
  process.umask(0o077);
  const tallies: Tally[] = [];
  const before = logSizes();
  try {
    const addresses = await exclusively(() => upServers(settings, secret));
    const env = { ...process.env, ...(await testEnvironment(addresses)), NODE_OPTIONS: SOURCES };
    tallies.push(await check());
    tallies.push(await runPackages(env));
    await exclusively(() => up(settings, secret));
    const beforePlatform = logSizes();
    tallies.push(await runConsole(env));
    tallies.push(await runSuite('e2e', join(root, 'e2e'), env));
    tallies.push(scanExits(beforePlatform));
    tallies.push(await scanLogs(addresses.postgres, secret, before));
    tallies.push(scanPlatform());
  } catch (error) {
    console.error(explain(error));
    tallies.push({ passed: 0, failures: ['test: the platform did not start'] });
  }
  return total(tallies);
}

/** Loses data of the running platform on purpose, and recovers it: docs/operators/recovery. */
export function drill(settings: Settings, secret: Secrets): Promise<Tally> {
  return onPlatform(settings, secret, 'drills');
}

/** Kills, freezes, stops and restarts parts of the platform under load. Searches the logs of the run for secrets too. */
export function testFaults(settings: Settings, secret: Secrets): Promise<Tally> {
  return onPlatform(settings, secret, 'faults');
}

/** Runs a long suite of `e2e/` against the running platform, and prints each test when it ends. */
function onPlatform(settings: Settings, secret: Secrets, suite: 'drills' | 'faults'): Promise<Tally> {
  const tested = { ...settings, ...END_TO_END };
  return reservingPorts(tested, async () => {
    process.umask(0o077);
    const before = logSizes();
    const addresses = await exclusively(() => up(tested, secret));
    const env = { ...process.env, ...(await testEnvironment(addresses)), NODE_OPTIONS: SOURCES };
    const withInstances = { ...env, INSTANCES: String(tested.instances) };
    const options = [`--config=vitest.${suite}.config.ts`];
    const tally = await runSuite(suite, join(root, 'e2e'), withInstances, options, { isLive: true });
    return total([tally, await scanLogs(addresses.postgres, secret, before)]);
  });
}

/** Much of their work is waiting, and the smallest machine has two cores. */
const PACKAGES_AT_ONCE = 3;

async function runPackages(env: NodeJS.ProcessEnv): Promise<Tally> {
  const packages = packagesWith('vitest.config.ts').filter((folder) => !NEED_PLATFORM.includes(folder));
  return total(
    await sideBySide(PACKAGES_AT_ONCE, packages, (folder) => runSuite(folder, join(root, folder), env)),
  );
}
