/**
 * Fails if a log of the platform, or the output of the end-to-end tests, contains a secret. Only the part that was written since the
 * start of the run counts, because older parts may be of older code. Also fails if a file or a process shows a secret to other accounts,
 * and if a process of the platform ended by itself.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import pg from 'pg';
import { local, logs } from '../paths.ts';
import { say } from '../progress.ts';
import { roleUrls } from '../provision/postgres.ts';
import type { Secrets } from '../secrets.ts';
import { secretsInOpenFiles, secretsOfProcesses } from './exposed-secrets.ts';
import { type KnownSecrets, secretsIn } from './log-secrets.ts';
import { ownExits } from './own-exits.ts';
import { outputOf } from './suite.ts';
import type { Tally } from './tally.ts';

const NAME = 'logs contain no secret';

/** The size of each log, by path. */
export type LogSizes = ReadonlyMap<string, number>;

export function logSizes(): LogSizes {
  return new Map(logFiles().map((path) => [path, statSync(path).size]));
}

const EXPOSED = 'no secret is visible to other accounts';

/** Searches files and processes of the running platform. Counts as one test. */
export function scanPlatform(): Tally {
  const secrets = generatedSecrets();
  const findings = [...secretsInOpenFiles(local, secrets), ...secretsOfProcesses(secrets)];
  return tallyOf(EXPOSED, findings);
}

/** Searches what was written to the logs after `before`. Counts as one test. */
export async function scanLogs(postgres: string, secret: Secrets, before: LogSizes): Promise<Tally> {
  const known = { values: generatedSecrets(), hashes: await storedHashes(postgres, secret) };
  const files = [...logFiles(), outputOf('e2e')].filter((path) => existsSync(path));
  const findings = files.flatMap((path) => findingsIn(path, before.get(path) ?? 0, known));
  return tallyOf(NAME, findings);
}

/** Reads what the supervisor wrote after `before`. Counts as one test. */
export function scanExits(before: LogSizes): Tally {
  const path = join(logs, 'supervisor.log');
  return tallyOf('no process ended by itself', ownExits(newPart(path, before.get(path) ?? 0)));
}

function tallyOf(name: string, findings: readonly string[]): Tally {
  for (const finding of findings) console.log(finding);
  say('test', name, findings.length === 0 ? '✓' : '✗');
  return findings.length === 0
    ? { passed: 1, failures: [] }
    : { passed: 0, failures: [`test: ${name}, see above`] };
}

function findingsIn(path: string, from: number, known: KnownSecrets): string[] {
  const bytes = readFileSync(path);
  const start = startOfNew(bytes, from);
  // The lines before it stay in the count, so that a finding has the number that an editor shows.
  const earlier = '\n'.repeat(bytes.subarray(0, start).filter((byte) => byte === 0x0a).length);
  return secretsIn(relative(local, path), earlier + bytes.subarray(start).toString(), known);
}

function newPart(path: string, from: number): string {
  const bytes = readFileSync(path);
  return bytes.subarray(startOfNew(bytes, from)).toString();
}

/** A log that is shorter than before was truncated, so all of it is new. */
function startOfNew(bytes: Buffer, from: number): number {
  return bytes.length < from ? 0 : from;
}

function logFiles(): string[] {
  if (!existsSync(logs)) return [];
  return readdirSync(logs)
    .filter((file) => file.endsWith('.log'))
    .map((file) => join(logs, file));
}

/** The passwords of users and servers, the secrets of services, and keys. */
function generatedSecrets(): Record<string, string> {
  return JSON.parse(readFileSync(join(local, 'secrets.json'), 'utf8'));
}

/** Auth stores only hashes: of the part that all refresh tokens of a session share, and of client secrets. They suffice here. */
async function storedHashes(postgres: string, secret: Secrets): Promise<Set<string>> {
  const client = new pg.Client({ connectionString: roleUrls(postgres, 'auth', secret).migrating });
  await client.connect();
  try {
    const { rows } = await client.query<{ hash: string }>(`
      SELECT encode(secret_hash, 'hex') AS hash FROM refresh_families WHERE secret_hash IS NOT NULL
      UNION ALL SELECT encode(secret_hash, 'hex') FROM user_api_clients WHERE secret_hash IS NOT NULL
      UNION ALL SELECT encode(secret_hash, 'hex') FROM api_clients`);
    return new Set(rows.map(({ hash }) => hash));
  } finally {
    await client.end();
  }
}
