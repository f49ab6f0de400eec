/** Installs supervisor (https://supervisord.org): from PyPI into the cache, or else from Debian. */
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { installDebianPackages } from './debian.ts';
import { cache } from './paths.ts';
import type { Note } from './progress.ts';
import { capture, isExecutable } from './run.ts';

const VERSION = '4.3.0';
const DEBIANS_PYTHON = '/usr/bin/python3';

/** Returns a Python that can run `-m supervisor.supervisord`. */
export async function findSupervisor(note: Note): Promise<string> {
  const folder = join(cache, `supervisor-${VERSION}`);
  const python = join(folder, 'bin/python');
  if (await isExecutable(python)) return python;
  if (await hasSupervisor(DEBIANS_PYTHON)) return DEBIANS_PYTHON;

  note(`installing supervisor ${VERSION} from PyPI (a few seconds)`);
  const making = `${folder}.${process.pid}`;
  await mkdir(cache, { recursive: true });
  const { code } = await capture(['python3', '-m', 'venv', making]);
  if (code === 0) {
    const pip = [join(making, 'bin/python'), '-m', 'pip', 'install', '--quiet', `supervisor==${VERSION}`];
    if ((await capture(pip)).code === 0) {
      await rename(making, folder).catch(() => undefined); // Another run may have installed it meanwhile.
      return python;
    }
  }
  await rm(making, { recursive: true, force: true });
  await installDebianPackages(['supervisor'], 'supervisor (it keeps the platform running)', note);
  return DEBIANS_PYTHON;
}

async function hasSupervisor(python: string): Promise<boolean> {
  return (await capture([python, '-c', 'import supervisor'])).code === 0;
}
