/** Takes the database of one service back to an earlier moment, while the other services go on. */
import pg from 'pg';
import { startServers, stopService } from './processes.ts';

const ADMIN = process.env.TEST_POSTGRES_ADMIN_URL ?? '';

/** Runs a statement in a service's database as a person with all rights does. */
export const inDatabase = (service: string, statement: string) => run(urlOf(service), [statement]);

/** The rows of a query in a service's database. */
export async function selectIn(service: string, query: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: urlOf(service) });
  await client.connect();
  try {
    return (await client.query(query)).rows;
  } finally {
    await client.end();
  }
}

const urlOf = (service: string) => Object.assign(new URL(ADMIN), { pathname: `/payflowx_${service}` }).href;

const asAdmin = (...statements: string[]) => run(ADMIN, statements);

async function run(connectionString: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

export interface PastDatabase {
  /** Loses all that the service has stored since the copy. Returns a function that starts the service. */
  restore(): Promise<() => Promise<void>>;
}

/** Copies the database. The service is stopped meanwhile. */
export async function copyDatabase(service: string): Promise<PastDatabase> {
  const name = `payflowx_${service}`;
  const start = await stopService(service);
  await asAdmin(
    `drop database if exists ${name}_past`,
    `create database ${name}_past template ${name} owner ${name}_migrator`,
  );
  await start();
  return {
    async restore() {
      const start = await stopService(service);
      await asAdmin(`drop database ${name} with (force)`, `alter database ${name}_past rename to ${name}`);
      // A copy has no rights of the database itself, as a restored backup has.
      await startServers();
      await asAdmin(`grant temporary on database ${name} to ${name}`);
      return start;
    },
  };
}
