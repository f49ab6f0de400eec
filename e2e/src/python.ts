/** Pythons with packages of PyPI, each in a virtual environment of its own outside the checkout. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'payflowx');

const pythons = new Map<string, Promise<string>>();

/** `packages` are arguments of pip. The environment is made at the first call. */
export function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  const python = pythons.get(name) ?? install(name, packages);
  pythons.set(name, python);
  return python;
}

/** A package index that does not answer must fail the test with its reason, and not by the test's own limit. */
const INDEX_LIMITS = ['--timeout', '15', '--retries', '2'];
const INSTALL_MS = 600_000;

/** The folder of an environment gets its name when it is complete. */
async function install(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(CACHE, name);
  const python = join(folder, 'bin/python');
  if (existsSync(python)) return python;
  const making = `${folder}.${process.pid}`;
  await mkdir(CACHE, { recursive: true });
  try {
    must(
      'python3',
      ['-m', 'venv', making],
      'A Python of 3.10 or later with venv is needed (Debian: python3-venv).',
    );
    const pip = ['-m', 'pip', 'install', '--quiet', ...INDEX_LIMITS, ...packages];
    must(join(making, 'bin/python'), pip, notInstalled(folder, packages));
    // Another run may have installed it meanwhile.
    await rename(making, folder).catch(() => {});
  } finally {
    await rm(making, { recursive: true, force: true });
  }
  return python;
}

const notInstalled = (folder: string, packages: readonly string[]) =>
  `The Python packages of this test could not be installed. They come from PyPI, and only the first run needs it.
If this machine cannot reach PyPI, set PIP_INDEX_URL to a mirror, or PIP_FIND_LINKS to a folder of wheels. Or copy
the folder from a machine that has it: ${folder}
It is made by: python3 -m venv <folder> && <folder>/bin/python -m pip install ${packages.join(' ')}`;

function must(program: string, args: readonly string[], why: string): void {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    timeout: INSTALL_MS,
  });
  if (status !== 0) throw new Error(`${why}\n\n${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`);
}
