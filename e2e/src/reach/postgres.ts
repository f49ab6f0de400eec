/** The rights of a client of PostgreSQL, found out by trying. */
import pg from 'pg';

/** Undefined if it cannot connect. The caller ends it. */
export async function connect(connectionString: string): Promise<pg.Client | undefined> {
  const client = new pg.Client({ connectionString });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch {
    await client.end().catch(() => undefined);
    return undefined;
  }
}

/** The names of all databases. */
export async function databasesOf(administratorUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: administratorUrl });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
  await client.end();
  return rows.map(({ datname }) => datname);
}

export async function mayOpen(url: string, database: string): Promise<boolean> {
  const other = new URL(url);
  other.pathname = `/${database}`;
  const client = await connect(other.href);
  await client?.end();
  return client !== undefined;
}

/** Statements that the role of a service may not run in its own database. */
const ACTS: Record<string, string> = {
  'become its migrator': 'SET ROLE %MIGRATOR%',
  'become the superuser': 'SET ROLE postgres',
  'create a table': 'CREATE TABLE blast_radius (id int)',
  'create a schema': 'CREATE SCHEMA blast_radius',
  'create a role': 'CREATE ROLE blast_radius',
  'install an extension': 'CREATE EXTENSION dblink',
  'read a file of the server': "SELECT pg_read_file('postgresql.conf')",
  'write a file of the server': "COPY (SELECT 1) TO '/tmp/blast-radius'",
  'run a program': "COPY (SELECT 1) TO PROGRAM 'true'",
  'read the passwords': 'SELECT rolpassword FROM pg_authid',
};

/** PostgreSQL runs these outside a transaction only. Each has the statement that undoes it. */
const LASTING_ACTS: Record<string, [string, string]> = {
  'create a database': ['CREATE DATABASE blast_radius', 'DROP DATABASE blast_radius'],
  'change a setting': ["ALTER SYSTEM SET log_statement = 'all'", 'ALTER SYSTEM RESET log_statement'],
};

const INSUFFICIENT_PRIVILEGE = '42501';

/** The names of the acts that PostgreSQL did not refuse. Nothing stays of them. */
export async function permittedActs(url: string): Promise<string[]> {
  const client = await connect(url);
  if (client === undefined) throw new Error('The service cannot open its own database.');
  const migrator = `${new URL(url).username}_migrator`;
  const permitted: string[] = [];
  for (const [name, statement] of Object.entries(ACTS)) {
    await client.query('BEGIN');
    if (await isPermitted(client, statement.replace('%MIGRATOR%', migrator))) permitted.push(name);
    await client.query('ROLLBACK');
  }
  for (const [name, [statement, undo]] of Object.entries(LASTING_ACTS)) {
    if (!(await isPermitted(client, statement))) continue;
    permitted.push(name);
    await client.query(undo);
  }
  await client.end();
  return permitted;
}

async function isPermitted(client: pg.Client, statement: string): Promise<boolean> {
  try {
    await client.query(statement);
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== INSUFFICIENT_PRIVILEGE;
  }
}
