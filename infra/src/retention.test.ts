/** Compares the tables of all services with docs/operators/retention.md, which says when their rows leave. */
import { readFile } from 'node:fs/promises';
import { createTestDatabase } from '@payflowx/chassis/testing';
import pg from 'pg';
import { expect, it } from 'vitest';
import { DATABASES } from './provision/postgres.ts';

const root = new URL('../../', import.meta.url);

/** The first two columns of the page's table. */
async function documentedTables(): Promise<string[]> {
  const page = await readFile(new URL('docs/operators/retention.md', root), 'utf8');
  const lines = [...page.matchAll(/^\| (\w+) \| `(\w+)` \| .+? \|/gm)];
  return lines.map(([, service = '', table = '']) => `${service}.${table}`);
}

async function tablesOf(service: string): Promise<string[]> {
  const migrations = new URL(`${service}/migrations/`, root);
  const database = await createTestDatabase({ service, migrations });
  const client = new pg.Client({ connectionString: database.adminUrl });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
     WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
       AND relname NOT LIKE 'kysely\\_%'`, // The history of the migrations.
  );
  await client.end();
  await database.drop();
  return rows.map(({ name }) => `${service}.${name}`);
}

it('every table has a line that says when its rows leave', async () => {
  const tables = (await Promise.all(DATABASES.map(tablesOf))).flat();
  expect(await documentedTables().then((all) => all.toSorted())).toEqual(tables.toSorted());
});
