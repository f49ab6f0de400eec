/** Migrations are numbered SQL files. Each is applied once, and never undone. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import type { Logger } from '../telemetry/log.ts';

export interface MigrationSettings {
  /** The URL with the role that owns the database. Services run with another role. */
  url: string;
  /** Folder of files such as `0001_payments.sql`. */
  folder: URL;
}

/**
 * Applies the missing migrations. Several instances may start at once: the first holds Kysely's advisory lock, and the others
 * wait.
 */
export async function migrate({ url, folder }: MigrationSettings, log: Logger): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 1, connectionTimeoutMillis: 5_000 });
  pool.on('error', (error) => log.warn({ err: error }, 'the migration connection broke'));
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: () => readMigrations(folder) } });
    const { error, results = [] } = await migrator.migrateToLatest();
    for (const { migrationName, status } of results)
      log.info({ migration: migrationName, status }, 'migration');
    if (error) throw error;
  } finally {
    await db.destroy();
  }
}

async function readMigrations(folder: URL): Promise<Record<string, Migration>> {
  const directory = fileURLToPath(folder);
  const files = (await readdir(directory)).filter((file) => /^\d{4}_[a-z0-9_]+\.sql$/.test(file)).sort();
  const entries = files.map(async (file) => {
    const text = await readFile(`${directory}/${file}`, 'utf8');
    const migration: Migration = { up: async (db) => void (await sql.raw(text).execute(db)) };
    return [file.replace(/\.sql$/, ''), migration] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
