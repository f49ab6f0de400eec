/** The build context of an image: the sources that run, and the packages of package-lock.json that they need. */
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Failure } from '../failure.ts';
import { local, root } from '../paths.ts';
import { logged } from '../run.ts';
import { SERVICE_NAMES, type ServiceName, SOURCES, startCommand } from '../services.ts';

export type ImageName = ServiceName | 'cli';
export const IMAGE_NAMES: readonly ImageName[] = [...SERVICE_NAMES, 'cli'];

/** Our packages in an image, and the built files that a program needs beside them. */
function foldersOf(name: ImageName): string[] {
  if (name === 'cli') return ['receipt', 'client', 'cli'];
  return ['proto', 'registry', 'chassis', name, ...(name === 'gateway' ? ['console/dist'] : [])];
}

/** Returns the folder of the context. */
export async function prepareContext(name: ImageName): Promise<string> {
  const context = join(local, 'images', name);
  const place = join(context, 'payflowx');
  await rm(context, { recursive: true, force: true });
  await mkdir(place, { recursive: true });
  await install(name, place);
  await copySources(name, place);
  await writeFile(join(place, 'start'), startScript(name), { mode: 0o755 });
  await cp(join(root, 'deploy/images/prune.mjs'), join(context, 'prune.mjs'));
  await mkdir(join(context, 'bin'));
  await cp(nodeBinary(), join(context, 'bin/node'));
  await chmod(join(context, 'bin/node'), 0o755);
  return context;
}

/** Only what package-lock.json pins, for Linux, and without the scripts of packages. */
async function install(name: ImageName, place: string): Promise<void> {
  const { workspaces }: { workspaces: string[] } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  );
  const files = ['package.json', 'package-lock.json', '.npmrc'];
  for (const file of [...files, ...workspaces.map((folder) => `${folder}/package.json`)]) {
    await mkdir(dirname(join(place, file)), { recursive: true });
    await cp(join(root, file), join(place, file));
  }
  const options = ['--omit=dev', '--ignore-scripts', '--prefer-offline', '--os=linux', '--libc=glibc'];
  const command = ['npm', 'ci', ...options, '--workspace', `@payflowx/${name}`];
  const { NODE_OPTIONS: _, ...env } = process.env;
  await logged(`images-${name}-install`, command, 'See the message of npm.', { cwd: place, env });
  const kept = foldersOf(name).map((folder) => folder.split('/')[0]);
  for (const folder of workspaces.filter((each) => !kept.includes(each))) {
    await rm(join(place, folder), { recursive: true, force: true });
    await rm(join(place, 'node_modules/@payflowx', folder), { force: true });
  }
  for (const file of files) await rm(join(place, file));
}

async function copySources(name: ImageName, place: string): Promise<void> {
  const isRun = (path: string) => !/\.test\.ts$|\/(node_modules|\.env)$/.test(path);
  for (const folder of foldersOf(name)) {
    for (const part of ['package.json', 'src', 'gen', 'migrations']) {
      await cp(join(root, folder, part), join(place, folder, part), { recursive: true, filter: isRun }).catch(
        ignoreMissing,
      );
    }
  }
  if (name === 'gateway')
    await cp(join(root, 'console/dist'), join(place, 'console/dist'), { recursive: true });
  if (name !== 'cli') await cp(join(root, 'deploy/images/probe.mjs'), join(place, 'probe.mjs'));
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** The same program and flags as those of `make up`. Arguments replace `src/main.ts`, such as `src/migrate.ts`. */
export function startScript(name: ImageName): string {
  const lines = ['#!/bin/sh'];
  if (name === 'cli') {
    lines.push(`exec node ${SOURCES} /payflowx/cli/src/main.ts "$@"`);
  } else {
    const flags = startCommand(name).slice(1, -1);
    if (name === 'gateway') lines.push('[ "$CONSOLE_DIR" ] || export CONSOLE_DIR=/payflowx/console/dist');
    lines.push(`cd /payflowx/${name} || exit 1`, '[ $# -gt 0 ] || set -- src/main.ts');
    // The shell is replaced, so SIGTERM reaches the service and it drains.
    lines.push(`exec node ${flags.join(' ')} "$@"`);
  }
  return `${lines.join('\n')}\n`;
}

/** Node of the packages, whose version package-lock.json pins. */
function nodeBinary(): string {
  if (process.platform !== 'linux')
    throw new Failure('Images are built on Linux: they get the Node of this checkout.', 'Build them there.');
  return join(root, 'node_modules/node/bin/node');
}
