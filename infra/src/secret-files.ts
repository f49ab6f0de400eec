/** Gives secrets to processes in files that only their owner can read, so that no environment and no command line has them. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { local } from './paths.ts';

/** The secret settings of all services. A test compares them with the schemas. */
export const SECRET_SETTINGS = [
  'AUTH_SEALING_KEY',
  'CONSUL_TOKEN',
  'KAFKA_PASSWORD',
  'PAGE_TOKEN_KEY',
  'POSTGRES_MIGRATE_URL',
  'POSTGRES_URL',
  'RABBITMQ_URL',
  'SMTP_URL',
  'WEBHOOK_SEALING_KEY',
];

type Environment = Readonly<Record<string, string>>;

/** Writes the secrets of `env` to files of `owner`, and returns `env` with the paths of the files instead. */
export function withSecretFiles(
  owner: string,
  env: Environment,
  folder = join(local, 'secrets'),
): Record<string, string> {
  const entries = Object.entries(env).map(([name, value]) => {
    if (!SECRET_SETTINGS.includes(name) || value === '') return [name, value] as const;
    return [`${name}_FILE`, save(join(folder, owner), name, value)] as const;
  });
  return Object.fromEntries(entries);
}

/** Changes with every secret, so that a process is restarted for a new one. It tells nothing about the secrets, which are random. */
export function secretsHash(env: Environment): string {
  const secrets = Object.entries(env).filter(([name]) => SECRET_SETTINGS.includes(name));
  return createHash('sha256').update(JSON.stringify(secrets)).digest('hex');
}

function save(folder: string, name: string, value: string): string {
  const path = join(folder, name);
  if (read(path) === value) return path;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.new`, value, { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return path;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
