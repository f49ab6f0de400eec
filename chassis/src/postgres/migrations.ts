/**
 * Migrations are numbered SQL files. A step before the start of the services applies each file once, with the role that owns the
 * database. Services have another role, and only check that their files were applied.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import { sqlStateOf } from '../sql-state.ts';
import type { Logger } from '../telemetry/log.ts';

export interface MigrationSettings {
  /** The URL with the role that owns the database. */
  url: string;
  /** Folder of files such as `0001_payments.sql`. */
  folder: URL;
}

/**
 * The first line of a file whose statements cannot run in a transaction, such as CREATE INDEX CONCURRENTLY. Each of its statements
 * ends with a semicolon at the end of a line, and runs by itself. After a failure the file runs again from its start, so it must
 * allow that.
 */
const NO_TRANSACTION = '-- migrate: no transaction\n';

/** Milliseconds that a statement waits for a lock. The statements of the services queue behind it for as long. */
const LOCK_TIMEOUT_MS = 1_000;
/** Without a transaction, a statement waits until older transactions have ended. Nothing queues behind it. */
const CONCURRENT_LOCK_TIMEOUT_MS = 600_000;
/** Pauses grow by a second each. Together they are about three minutes. */
const MAX_ATTEMPTS = 20;
const PAUSE_STEP_MS = 1_000;
/** lock_not_available, deadlock_detected. */
const RETRY_CODES = new Set(['55P03', '40P01']);

/** A lock of the database that all its migrations take. The number is arbitrary. */
const ADVISORY_LOCK = 7_303_014;
const ADVISORY_POLL_MS = 100;

/** The names of the applied files. The table was first written by Kysely's migrator, hence its name. */
const HISTORY = 'kysely_migration';

/**
 * Applies the missing files, each in its own transaction. A statement that does not get its lock within a second ends its
 * transaction, which is retried after a pause. So a long transaction of a service does not block all others behind the migration.
 *
 * Several processes may migrate at once: one applies the files, and the others wait for it. Files that only a newer version has
 * may already be applied.
 */
export async function migrate({ url, folder }: MigrationSettings, log: Logger): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', (error) => log.warn({ err: error }, 'the migration connection broke'));
  await client.connect();
  try {
    await takeTurn(client);
    const applied = await openHistory(client);
    for (const name of await namesIn(folder)) {
      if (applied.has(name)) continue;
      const text = await readFile(join(fileURLToPath(folder), `${name}.sql`), 'utf8');
      await applyPatiently(client, name, text, log);
      log.info({ migration: name }, 'migration applied');
    }
  } finally {
    await client.end();
  }
}

/** Throws unless all files of the folder were applied. For services, which start only on a schema that has what they need. */
export async function requireMigrated<DB>(db: Kysely<DB>, folder: URL): Promise<void> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(HISTORY)}`
    .execute(db)
    .catch((error) => {
      if (isMissingHistory(error)) return { rows: [] };
      throw error;
    });
  const applied = new Set(rows.map(({ name }) => name));
  const missing = (await namesIn(folder)).filter((name) => !applied.has(name));
  if (missing.length > 0)
    throw new Error(`The database lacks the migrations ${missing.join(', ')}. Run src/migrate.ts first.`);
}

/** undefined_table, insufficient_privilege. The latter if only Kysely's migrator has run so far. */
function isMissingHistory(error: unknown): boolean {
  return ['42P01', '42501'].includes(sqlStateOf(error) ?? '');
}

/**
 * Waits for other migrations of this database. Not with a statement that waits: CREATE INDEX CONCURRENTLY of the other process
 * waits for the end of all running statements, so both would wait for each other.
 */
async function takeTurn(client: pg.Client): Promise<void> {
  const tryLock = 'SELECT pg_try_advisory_lock($1) AS taken';
  while (!(await client.query<{ taken: boolean }>(tryLock, [ADVISORY_LOCK])).rows[0]?.taken)
    await sleep(ADVISORY_POLL_MS);
}

async function openHistory(client: pg.Client): Promise<ReadonlySet<string>> {
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${HISTORY} (name varchar(255) PRIMARY KEY, timestamp varchar(255) NOT NULL);
     GRANT SELECT ON ${HISTORY} TO PUBLIC;`,
  );
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${HISTORY}`);
  return new Set(rows.map(({ name }) => name));
}

async function namesIn(folder: URL): Promise<string[]> {
  const files = (await readdir(folder)).filter((file) => /^\d{4}_[a-z0-9_]+\.sql$/.test(file));
  return files.map((file) => file.replace(/\.sql$/, '')).sort();
}

async function applyPatiently(client: pg.Client, name: string, text: string, log: Logger): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await apply(client, name, text);
    } catch (error) {
      if (attempt >= MAX_ATTEMPTS || !RETRY_CODES.has(sqlStateOf(error) ?? '')) throw error;
      log.warn({ migration: name, attempt, err: error }, 'the migration did not get its locks, retrying');
      await sleep(attempt * PAUSE_STEP_MS);
    }
  }
}

async function apply(client: pg.Client, name: string, text: string): Promise<void> {
  const remember = () =>
    client.query(`INSERT INTO ${HISTORY} (name, timestamp) VALUES ($1, $2)`, [
      name,
      new Date().toISOString(),
    ]);
  if (text.startsWith(NO_TRANSACTION)) {
    await client.query(`SET lock_timeout = ${CONCURRENT_LOCK_TIMEOUT_MS}`);
    for (const statement of statementsOf(text)) await client.query(statement);
    await remember();
    return;
  }
  await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`);
  await client.query('BEGIN');
  try {
    await client.query(text);
    await remember();
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

function statementsOf(text: string): string[] {
  return text.split(/(?<=;)[ \t]*\n/).filter((part) => part.trim() !== '');
}
