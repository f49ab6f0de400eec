/** Creates a migrated database for each test file. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { migrate } from '../postgres/migrations.ts';
import { sqlStateOf } from '../sql-state.ts';
import { testLog } from './log.ts';
import { testServers } from './servers.ts';

export interface TestDatabase {
  /** The URL with the serving role. */
  url: string;
  /** The URL with the role that owns and migrates. */
  migrateUrl: string;
  /** The URL with the superuser. */
  adminUrl: string;
  drop(): Promise<void>;
}

/** Creates a database as a copy of a template. The template is migrated once for each state of the migrations. */
export async function createTestDatabase(from: { service: string; migrations: URL }): Promise<TestDatabase> {
  const role = `payflowx_${from.service}`;
  const admin = new pg.Client({ connectionString: testServers.postgresAdminUrl() });
  await admin.connect();
  try {
    const template = await ensureTemplate(admin, role, from.migrations);
    const name = `${template}_${randomBytes(5).toString('hex')}`;
    await admin.query(`CREATE DATABASE ${name} TEMPLATE ${template} OWNER ${role}_migrator`);
    return {
      url: urlOf(name, role),
      migrateUrl: urlOf(name, `${role}_migrator`),
      adminUrl: urlOf(name),
      drop: () => dropDatabase(name),
    };
  } finally {
    await admin.end();
  }
}

/** Connects as superuser and switches to `role` at once. So tests need no passwords, and have the same grants. */
function urlOf(database: string, role?: string): string {
  const url = new URL(testServers.postgresAdminUrl());
  url.pathname = `/${database}`;
  if (role) url.searchParams.set('options', `-c role=${role}`);
  return url.href;
}

async function ensureTemplate(admin: pg.Client, role: string, migrations: URL): Promise<string> {
  const template = `test_${role.replace('payflowx_', '')}_${await hashOf(migrations)}`;
  // Test files start in parallel: the first creates the template, and the others wait for it.
  await admin.query('SELECT pg_advisory_lock(hashtext($1))', [template]);
  try {
    const { rowCount } = await admin.query('SELECT 1 FROM pg_database WHERE datname = $1', [template]);
    if (rowCount === 0) await makeTemplate(admin, template, role, migrations);
    return template;
  } finally {
    await admin.query('SELECT pg_advisory_unlock(hashtext($1))', [template]);
  }
}

async function makeTemplate(
  admin: pg.Client,
  template: string,
  role: string,
  migrations: URL,
): Promise<void> {
  await ensureRole(admin, role);
  await ensureRole(admin, `${role}_migrator`);
  // The template is created under another name and renamed when it is complete. So an aborted run leaves no incomplete template.
  const unfinished = `${template}_unfinished`;
  await admin.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
  await admin.query(
    `CREATE DATABASE ${unfinished} OWNER ${role}_migrator TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'`,
  );
  await migrate({ url: urlOf(unfinished, `${role}_migrator`), folder: migrations }, testLog);
  await admin.query(`ALTER DATABASE ${unfinished} RENAME TO ${template}`);
}

async function ensureRole(admin: pg.Client, role: string): Promise<void> {
  await admin.query(
    `DO $$ BEGIN CREATE ROLE ${role} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
  );
}

/** Raised when the same files make another database: then no earlier template is used. */
const TEMPLATE_VERSION = '2';

async function hashOf(folder: URL): Promise<string> {
  const hash = createHash('sha256').update(TEMPLATE_VERSION);
  const directory = fileURLToPath(folder);
  for (const file of (await readdir(directory)).sort())
    hash.update(file).update(await readFile(`${directory}/${file}`));
  return hash.digest('hex').slice(0, 12);
}

const OBJECT_IN_USE = '55006';

async function dropDatabase(name: string): Promise<void> {
  const admin = new pg.Client({ connectionString: testServers.postgresAdminUrl() });
  await admin.connect();
  // pg's pool resolves `end` before its connections are closed. A connection that is terminated then raises an error without a
  // listener.
  //
  // Without FORCE, Postgres gives them five seconds to close.
  await admin.query(`DROP DATABASE IF EXISTS ${name}`).catch((error) => {
    if (sqlStateOf(error) !== OBJECT_IN_USE) throw error;
    return admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });
  await admin.end();
}
