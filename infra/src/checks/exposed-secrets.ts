/** Finds secrets of this checkout that other accounts of the machine can see: in files, and in command lines of processes. */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MARK } from '../supervisor-config.ts';

/** Larger files are data, not configuration. */
const MAX_BYTES = 10 * 1024 * 1024;
const OPEN_TO_OTHERS = 0o077;

type Secrets = Readonly<Record<string, string>>;

/** Returns one line for each file under `folder` that is open to other accounts and contains a secret. */
export function secretsInOpenFiles(folder: string, secrets: Secrets): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => isOpen(path))
    .flatMap((path) =>
      namesIn(readOrEmpty(path), secrets).map(
        (name) => `${path} is open to other accounts and contains ${name}`,
      ),
    );
}

/**
 * Returns one line for each secret in the command line of any process, or in the environment of a process of the platform. Without
 * /proc, none is found.
 */
export function secretsOfProcesses(secrets: Secrets): string[] {
  const pids = existsSync('/proc') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  return pids.flatMap((pid) => {
    const environment = readOrEmpty(`/proc/${pid}/environ`);
    const isOurs = environment.split('\0').includes(`${MARK.name}=${MARK.value}`);
    return [
      ...namesIn(readOrEmpty(`/proc/${pid}/cmdline`), secrets).map(
        (name) => `the command line of ${pid} contains ${name}`,
      ),
      ...namesIn(isOurs ? environment : '', secrets).map(
        (name) => `the environment of ${pid} contains ${name}`,
      ),
    ];
  });
}

function namesIn(text: string, secrets: Secrets): string[] {
  const names = Object.keys(secrets).filter((name) => {
    const value = secrets[name] ?? '';
    return text.includes(value) || text.includes(encodeURIComponent(value));
  });
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text) ? [...names, 'a private key'] : names;
}

function isOpen(path: string): boolean {
  const { mode, size } = lstatSync(path, { throwIfNoEntry: false }) ?? { mode: 0, size: 0 };
  return (mode & OPEN_TO_OTHERS) !== 0 && size <= MAX_BYTES;
}

/** Files and processes may end meanwhile. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
