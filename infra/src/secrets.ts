/** Generated passwords and keys, kept in a file that only its owner can read. */
import { randomBytes, randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from './failure.ts';
import { local } from './paths.ts';

export type Secrets = (name: string) => string;

/** Returns the secret of a name. It is generated at the first call and stays the same. */
export function openSecrets(path = join(local, 'secrets.json')): Secrets {
  const known = read(path);
  return (name) => {
    const secret = known[name];
    if (secret !== undefined) return secret;
    if (Object.keys(known).length === 0) requireNoData(path);
    const made = make(name);
    known[name] = made;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, `${JSON.stringify(known, null, 2)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return made;
  };
}

/** Keys are 32 bytes in base64, as AES-256 needs. Consul's tokens are UUIDs. Passwords are shorter than keys, and safe in any URL. */
function make(name: string): string {
  if (name.startsWith('uuid/')) return randomUUID();
  return name.startsWith('key/') ? randomBytes(32).toString('base64') : randomBytes(18).toString('base64url');
}

function read(path: string): Record<string, string> {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/** New secrets do not open the databases that were made with the old ones, and do not read what those have sealed. */
function requireNoData(path: string): void {
  const postgres = join(dirname(path), 'postgres');
  if (!lstatSync(postgres, { throwIfNoEntry: false })) return;
  throw new Failure(
    `${path} is missing, but there are databases that need it.`,
    `Put it back from a backup: docs/operators/recovery/mistakes.md. If the data may be lost, delete ${postgres}.`,
  );
}
