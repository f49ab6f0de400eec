import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTransaction, migrate, openDatabase, sqlStateOf, unnest } from '../src/index.ts';
import { createTestDatabase, type TestDatabase, testLog } from '../src/testing.ts';

interface Things {
  things: { id: string; amount: bigint; note: unknown; born: string | null };
}

const migrations = new URL('./migrations/', import.meta.url);
let database: TestDatabase;
let db: Kysely<Things>;

beforeAll(async () => {
  database = await createTestDatabase({ service: 'chassis', migrations });
  db = openDatabase<Things>({ url: database.url, poolMax: 4 }, testLog);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

it('inserts many rows with one statement and reads them back in their own types', async () => {
  const rows = [
    { id: 'a', amount: 9_007_199_254_740_991n, note: { deep: ['"', null] }, born: '2026-02-28' },
    { id: 'b', amount: -1n, note: null, born: null },
  ];
  const source = unnest(rows, { id: 'text', amount: 'int8', note: 'jsonb', born: 'date' });
  await sql`insert into things (id, amount, note, born) select id, amount, note, born from ${source} as r`.execute(
    db,
  );
  expect(
    await db.selectFrom('things').select(['id', 'amount', 'note', 'born']).orderBy('id').execute(),
  ).toEqual(rows);
});

it('prepares a statement once for any number of rows', async () => {
  await inTransaction(db, async (trx) => {
    for (const count of [1, 2, 3]) {
      const rows = Array.from({ length: count }, (_, index) => ({ id: `${count}-${index}` }));
      await sql`select id from ${unnest(rows, { id: 'text' })} as r`.execute(trx);
    }
    const { rows } = await sql<{ count: bigint }>`
      select count(*) from pg_prepared_statements where statement like 'select id from (select%'`.execute(
      trx,
    );
    expect(rows).toEqual([{ count: 1n }]);
  });
});

it('serves as a role that may not do what was not granted', async () => {
  const refused = await sql`delete from things`.execute(db).catch(sqlStateOf);
  expect(refused).toBe('42501');
});

it('lets several instances migrate at once', async () => {
  const settings = { url: database.migrateUrl, folder: migrations };
  await Promise.all([migrate(settings, testLog), migrate(settings, testLog), migrate(settings, testLog)]);
});

it('runs a transaction again that lost a deadlock', async () => {
  await sql`insert into things (id, amount) values ('x', 0), ('y', 0) on conflict do nothing`.execute(db);
  const admin = openDatabase<Things>({ url: database.adminUrl, poolMax: 2 }, testLog);
  const lock = (first: string, second: string) =>
    inTransaction(admin, async (trx) => {
      await sql`update things set amount = amount + 1 where id = ${first}`.execute(trx);
      await sql`select pg_sleep(0.1)`.execute(trx);
      await sql`update things set amount = amount + 1 where id = ${second}`.execute(trx);
    });
  await Promise.all([lock('x', 'y'), lock('y', 'x')]);
  const { rows } = await sql`select amount from things where id in ('x', 'y')`.execute(admin);
  await admin.destroy();
  expect(rows).toEqual([{ amount: 2n }, { amount: 2n }]);
});
