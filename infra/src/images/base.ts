/** The base of the images: Debian from its registry, or, where no registry answers, made of Debian's packages on this machine. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '../failure.ts';
import { local } from '../paths.ts';
import type { Note } from '../progress.ts';
import { logged, which } from '../run.ts';
import type { Engine } from './engine.ts';

const PUBLISHED = 'docker.io/library/debian:12-slim';
const MADE_HERE = 'localhost/payflowx-base:12';

/** A shell, and the libraries that Node and its native packages use. */
const PACKAGES = ['base-files', 'dash', 'libc6', 'libgcc-s1', 'libstdc++6', 'gcc-12-base'];

export async function ensureBase(engine: Engine, note: Note): Promise<string> {
  for (const image of [PUBLISHED, MADE_HERE]) {
    if ((await engine.run(['image', 'inspect', image])).code === 0) return image;
  }
  if ((await engine.run(['pull', '--quiet', PUBLISHED])).code === 0) return PUBLISHED;
  note(`${PUBLISHED} cannot be pulled: making a base of Debian's packages`);
  await makeBase(engine);
  return MADE_HERE;
}

async function makeBase(engine: Engine): Promise<void> {
  if (!(await which('apt-get')) || !(await which('dpkg-deb')))
    throw new Failure(
      `${PUBLISHED} cannot be pulled, and this machine is not a Debian that could make a base.`,
      `Make it reachable, or load it: ${engine.name} load.`,
    );
  const folder = join(local, 'images/base');
  const tree = join(folder, 'root');
  await rm(folder, { recursive: true, force: true });
  await mkdir(tree, { recursive: true });
  const remedy = '`apt-get update`, then try again.';
  // As root, apt would download as another user, who may not write here.
  const download = ['apt-get', '-o', 'APT::Sandbox::User=root', 'download', ...PACKAGES];
  await logged('images-base-download', download, remedy, { cwd: folder });
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.deb')))
    await logged('images-base-unpack', ['dpkg-deb', '--extract', join(folder, file), tree], remedy);
  const archive = join(folder, 'base.tar');
  // The script of dash that links /bin/sh is not run.
  const pack = `cd "$1" && { [ -e bin/sh ] || ln -s dash bin/sh; } && mkdir -p tmp && chmod 1777 tmp && tar --create --owner=0 --group=0 --file "$2" .`;
  await logged('images-base-pack', ['sh', '-c', pack, 'sh', tree, archive], remedy);
  const imported = await engine.run(['import', archive, MADE_HERE]);
  if (imported.code !== 0) throw new Failure(imported.output.trimEnd(), 'See the message of the engine.');
}
