/**
 * `make lift`: proves that a service needs nothing else of this checkout. Copies its folder elsewhere and installs our packages as
 * tarballs. Then type-checks and tests it there.
 *
 * The tests of a service may run another service, which is a package in its devDependencies. The sources are first type-checked
 * without it, so that the service itself does not need the other one.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { explain } from '../failure.ts';
import { local, root } from '../paths.ts';
import { exclusively, upServers } from '../platform.ts';
import { say, step } from '../progress.ts';
import { capture, logged } from '../run.ts';
import type { Secrets } from '../secrets.ts';
import { testEnvironment } from '../servers/start.ts';
import { SERVICE_NAMES, type ServiceName } from '../services.ts';
import type { Settings } from '../settings.ts';
import { sideBySide } from './side-by-side.ts';
import { runSuite } from './suite.ts';
import { type Tally, total } from './tally.ts';

/** The last one is for the tests of the ledger only. */
const PACKAGES = ['proto', 'registry', 'chassis', 'receipt'];

const WHY = 'The service or one of our packages uses a package that its package.json does not list.';

export async function lift(
  services: readonly ServiceName[],
  settings: Settings,
  secret: Secrets,
): Promise<Tally> {
  const addresses = await exclusively(() => upServers(settings, secret));
  const { NODE_OPTIONS: _, ...outside } = process.env; // Remove our resolve condition: outside the checkout there are no sources to resolve to.
  const env = { ...outside, ...(await testEnvironment(addresses)) };
  const tarballs = await pack(await neighboursOfTests(services));
  const tallies = await sideBySide(2, services, (service) =>
    liftOne(service, tarballs, env).catch((error) => {
      console.error(explain(error));
      say('lift', `${service} needs something outside its folder`, '✗');
      return { passed: 0, failures: [`lift: ${service} needs something outside its folder`] };
    }),
  );
  return total(tallies);
}

interface Manifest {
  devDependencies: Record<string, string>;
}

const manifestOf = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));

/** The other services that the tests of these services run. */
async function neighboursOfTests(services: readonly string[]): Promise<string[]> {
  const manifests = await Promise.all(services.map((service) => manifestOf(join(root, service))));
  return SERVICE_NAMES.filter((name) =>
    manifests.some(({ devDependencies }) => `@payflowx/${name}` in devDependencies),
  );
}

/** Returns the tarballs by the folder of their package. */
async function pack(neighbours: readonly string[]): Promise<Map<string, string>> {
  const names = [...PACKAGES, ...neighbours];
  const folder = join(local, 'lift');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await step('lift', async () => {
    const workspaces = names.flatMap((name) => ['--workspace', `@payflowx/${name}`]);
    const command = ['npm', 'pack', '--pack-destination', folder, ...workspaces];
    await logged('lift-pack', command, 'Usually a type error in one of our packages.', { cwd: root });
    return `packed ${names.join(', ')}`;
  });
  const files = await readdir(folder);
  return new Map(
    names.map((name) => {
      const file = files.find((each) => each.startsWith(`payflowx-${name}-`));
      if (!file) throw new Error(`npm packed no ${name}.`);
      return [name, join(folder, file)];
    }),
  );
}

async function liftOne(
  service: string,
  tarballs: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
): Promise<Tally> {
  const place = await mkdtemp(join(tmpdir(), `payflowx-${service}-`));
  try {
    await copyFolder(service, place);
    const neighbours = await neighboursOfTests([service]);
    await step('lift', async () => {
      if (neighbours.length > 0) await checkAlone(service, place, tarballs, neighbours, env);
      await install(service, place, [...PACKAGES, ...neighbours], tarballs, env);
      await checkTypes(service, place, [], env);
      return `${service} installs and type-checks outside the checkout`;
    });
    return await runSuite(`lift-${service}`, place, env);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** Type-checks the sources of the service where the neighbours of its tests are not installed. */
async function checkAlone(
  service: string,
  place: string,
  tarballs: ReadonlyMap<string, string>,
  neighbours: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const file = join(place, 'package.json');
  const whole = await readFile(file, 'utf8');
  const manifest: Manifest = JSON.parse(whole);
  for (const name of neighbours) delete manifest.devDependencies[`@payflowx/${name}`];
  await writeFile(file, JSON.stringify(manifest));
  await install(service, place, PACKAGES, tarballs, env);
  const project = join(place, 'tsconfig.alone.json');
  await writeFile(project, JSON.stringify({ extends: './tsconfig.json', include: ['src'] }));
  await checkTypes(service, place, ['--project', project], env);
  await writeFile(file, whole);
}

async function install(
  service: string,
  place: string,
  names: readonly string[],
  tarballs: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  // The tarballs have the names and versions of package.json. They are passed explicitly because no registry has them.
  const files = names.flatMap((name) => tarballs.get(name) ?? []);
  const options = ['--no-save', '--prefer-offline', '--no-audit', '--no-fund'];
  const command = ['npm', 'install', ...options, ...files];
  await logged(`lift-${service}-install`, command, WHY, { cwd: place, env });
}

async function checkTypes(
  service: string,
  place: string,
  options: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const command = ['tsc', '--noEmit', '--customConditions', 'null', ...options];
  await logged(`lift-${service}-types`, command, WHY, { cwd: place, env });
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
