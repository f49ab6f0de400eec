/**
 * Measures the physical limit: the same Postgres, one transaction of eight round trips for each payment. pgbench is PostgreSQL's
 * own load generator and needs almost no CPU.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, globSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);
const DATABASE = 'payflowx_bench_limit';
const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export interface Limit {
  version: string;
  /** Returns the payments a second with this number of clients. */
  measure(clients: number, seconds: number): Promise<number>;
  /** Removes the database. */
  close(): Promise<void>;
}

/** Undefined if pgbench is not installed. */
export function findPgbench(env: NodeJS.ProcessEnv): string | undefined {
  const onPath = (env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'pgbench'));
  // Debian keeps each version in its own folder. The newest comes first.
  const debian = globSync('/usr/lib/postgresql/*/bin/pgbench').sort().reverse();
  return [...debian, ...onPath].find(isExecutable);
}

export const HOW_TO_GET_PGBENCH =
  "pgbench is not here: the Debian package postgresql-contrib has it, on other systems PostgreSQL's own";

/** Creates a database on the platform's server. */
export async function openLimit(pgbench: string, postgresUrl: string, accounts: number): Promise<Limit> {
  await inDatabase(postgresUrl, 'postgres', async (client) => {
    await client.query(`drop database if exists ${DATABASE} with (force)`);
    await client.query(`create database ${DATABASE}`);
  });
  const url = new URL(postgresUrl);
  const env = {
    PATH: process.env.PATH,
    PGHOST: url.hostname,
    PGPORT: url.port || '5432',
    PGUSER: decodeURIComponent(url.username),
    PGPASSWORD: decodeURIComponent(url.password),
    PGDATABASE: DATABASE,
    PGSSLMODE: url.searchParams.get('sslmode') ?? undefined,
    PGSSLROOTCERT: url.searchParams.get('sslrootcert') ?? undefined,
  };
  const schema = readFileSync(script('schema.sql'), 'utf8');
  await inDatabase(postgresUrl, DATABASE, async (client) => {
    await client.query(schema);
    await client.query(
      'insert into balances (account_id, posted) select n, 1000000 from generate_series(1, $1) n',
      [accounts],
    );
    await client.query('vacuum analyze balances');
  });
  const { stdout: version } = await run(pgbench, ['--version']);
  return {
    version: version.trim(),
    async measure(clients, seconds) {
      const threads = Math.min(2, clients);
      const args = ['-n', '-M', 'prepared', '-f', script('payment.sql'), '-D', `accounts=${accounts}`];
      args.push('-c', String(clients), '-j', String(threads), '-T', String(Math.ceil(seconds)));
      const { stdout } = await run(pgbench, args, { env });
      const tps = /^tps = ([\d.]+)/m.exec(stdout)?.[1];
      if (!tps) throw new Error(`pgbench printed no tps: ${stdout}`);
      return Number(tps);
    },
    close: () =>
      inDatabase(postgresUrl, 'postgres', async (client) => {
        await client.query(`drop database if exists ${DATABASE} with (force)`);
      }),
  };
}

async function inDatabase(
  postgresUrl: string,
  database: string,
  work: (client: pg.Client) => Promise<void>,
): Promise<void> {
  const url = new URL(postgresUrl);
  url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
