/**
 * `make lift`: proves that a service needs nothing else of this checkout. Copies its folder elsewhere and installs our packages as
 * tarballs. Then type-checks and tests it there.
 */
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { explain } from '../failure.ts';
import { local, root } from '../paths.ts';
import { exclusively, upServers } from '../platform.ts';
import { say, step } from '../progress.ts';
import { capture, logged } from '../run.ts';
import type { Secrets } from '../secrets.ts';
import { testEnvironment } from '../servers/start.ts';
import type { ServiceName } from '../services.ts';
import type { Settings } from '../settings.ts';
import { pairwise } from './pairwise.ts';
import { runSuite } from './suite.ts';
import { type Tally, total } from './tally.ts';

/** The last one is for the tests of the ledger only. */
const PACKAGES = ['proto', 'registry', 'chassis', 'receipt'];

export async function lift(
  services: readonly ServiceName[],
  settings: Settings,
  secret: Secrets,
): Promise<Tally> {
  const addresses = await exclusively(() => upServers(settings, secret));
  const { NODE_OPTIONS: _, ...outside } = process.env; // Remove our resolve condition: outside the checkout there are no sources to resolve to.
  const env = { ...outside, ...(await testEnvironment(addresses)) };
  const tarballs = await pack();
  const tallies = await pairwise(services, (service) =>
    liftOne(service, tarballs, env).catch((error) => {
      console.error(explain(error));
      say('lift', `${service} needs something outside its folder`, '✗');
      return { passed: 0, failures: [`lift: ${service} needs something outside its folder`] };
    }),
  );
  return total(tallies);
}

async function pack(): Promise<string[]> {
  const folder = join(local, 'lift');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await step('lift', async () => {
    const workspaces = PACKAGES.flatMap((name) => ['--workspace', `@payflowx/${name}`]);
    const command = ['npm', 'pack', '--pack-destination', folder, ...workspaces];
    await logged('lift-pack', command, 'Usually a type error in one of our packages.', { cwd: root });
    return `packed ${PACKAGES.join(', ')}`;
  });
  return (await readdir(folder)).map((file) => join(folder, file));
}

async function liftOne(service: string, tarballs: string[], env: NodeJS.ProcessEnv): Promise<Tally> {
  const place = await mkdtemp(join(tmpdir(), `payflowx-${service}-`));
  try {
    await copyFolder(service, place);
    await step('lift', async () => {
      // The tarballs have the names and versions of package.json. They are passed explicitly because no registry has them.
      const install = [
        'npm',
        'install',
        '--no-save',
        '--prefer-offline',
        '--no-audit',
        '--no-fund',
        ...tarballs,
      ];
      const why = 'The service or one of our packages uses a package that its package.json does not list.';
      await logged(`lift-${service}-install`, install, why, { cwd: place, env });
      const types = ['tsc', '--noEmit', '--customConditions', 'null'];
      await logged(`lift-${service}-types`, types, why, { cwd: place, env });
      return `${service} installs and type-checks outside the checkout`;
    });
    return await runSuite(`lift-${service}`, place, env);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Copies the files that Git tracks, and new files that are not ignored. */
async function copyFolder(service: string, place: string): Promise<void> {
  const command = ['git', 'ls-files', '--cached', '--others', '--exclude-standard'];
  const { output } = await capture(command, { cwd: join(root, service) });
  for (const file of output.trim().split('\n')) {
    await mkdir(dirname(join(place, file)), { recursive: true });
    await cp(join(root, service, file), join(place, file));
  }
}
