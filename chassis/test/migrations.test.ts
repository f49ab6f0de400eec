/** The step that migrates a database: its transactions, its locks, and the check at the start of a service. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Kysely, sql } from 'kysely';
import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Logger } from '../src/index.ts';
import { migrate, openDatabase, requireMigrated } from '../src/postgres/index.ts';
import { createTestDatabase, type TestDatabase, testLog } from '../src/testing/index.ts';

let database: TestDatabase;
let folder: string;
let service: Kysely<unknown>;
beforeEach(async () => {
  const migrations = new URL('./migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'chassis', migrations });
  folder = await mkdtemp(join(tmpdir(), 'migrations-'));
  service = openDatabase({ url: database.url, poolMax: 2 }, testLog);
});
afterEach(async () => {
  await service.destroy();
  await database.drop();
  await rm(folder, { recursive: true });
});

const files = () => pathToFileURL(`${folder}/`);
const write = (name: string, text: string) => writeFile(join(folder, `${name}.sql`), text);
const migrateAll = (log: Logger = testLog) => migrate({ url: database.migrateUrl, folder: files() }, log);

async function columnsOfThings(): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select column_name as name from information_schema.columns where table_name = 'things'`.execute(service);
  return rows.map(({ name }) => name);
}

it('rolls back the file that fails, and keeps the files before it', async () => {
  await write('0101_one', 'ALTER TABLE things ADD COLUMN one int;');
  await write('0102_two', 'ALTER TABLE things ADD COLUMN two int; SELECT 1 / 0;');
  await expect(migrateAll()).rejects.toThrow('division by zero');
  expect(await columnsOfThings()).toContain('one');
  expect(await columnsOfThings()).not.toContain('two');

  await write('0102_two', 'ALTER TABLE things ADD COLUMN two int;');
  await migrateAll();
  expect(await columnsOfThings()).toContain('two');
});

it('gives up its place in the queue for a lock, and retries until the lock is free', async () => {
  await write('0101_one', 'ALTER TABLE things ADD COLUMN one int;');
  const long = new pg.Client({ connectionString: database.migrateUrl });
  await long.connect();
  await long.query('BEGIN');
  await long.query('SELECT FROM things');

  const gaveUp = Promise.withResolvers<void>();
  const migrating = migrateAll({ ...testLog, info() {}, warn: () => gaveUp.resolve() } as unknown as Logger);
  await gaveUp.promise;
  // The migration waits between two attempts. A statement that it would have blocked goes through.
  await sql`select id from things`.execute(service);
  expect(await columnsOfThings()).not.toContain('one');
  await long.query('COMMIT');
  await migrating;
  expect(await columnsOfThings()).toContain('one');
  await long.end();
});

it('runs a marked file without a transaction, in several processes at once', async () => {
  await write(
    '0101_index',
    `-- migrate: no transaction
DROP INDEX CONCURRENTLY IF EXISTS things_by_amount;
CREATE INDEX CONCURRENTLY things_by_amount
  ON things (amount); -- This comment has no semicolon at its end.
`,
  );
  await Promise.all([migrateAll(), migrateAll(), migrateAll()]);
  const { rows } = await sql<{ valid: boolean }>`
    select indisvalid as valid from pg_index where indexrelid = 'things_by_amount'::regclass`.execute(
    service,
  );
  expect(rows).toEqual([{ valid: true }]);
});

it('a service finds out at its start which files its database lacks', async () => {
  await write('0101_one', 'ALTER TABLE things ADD COLUMN one int;');
  await write('0102_two', 'ALTER TABLE things ADD COLUMN two int;');
  await expect(requireMigrated(service, files())).rejects.toThrow('lacks the migrations 0101_one, 0102_two.');
  await migrateAll();
  await requireMigrated(service, files());
  // The next release may add files before the last instance of this one has ended.
  await rm(join(folder, '0102_two.sql'));
  await requireMigrated(service, files());
});

it('a service whose database was never migrated says so', async () => {
  const owner = openDatabase({ url: database.migrateUrl, poolMax: 1 }, testLog);
  await sql`drop table kysely_migration`.execute(owner);
  await owner.destroy();
  await write('0101_one', 'ALTER TABLE things ADD COLUMN one int;');
  await expect(requireMigrated(service, files())).rejects.toThrow('lacks the migrations 0101_one.');
});
