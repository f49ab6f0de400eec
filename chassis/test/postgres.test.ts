import fc from 'fast-check';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sqlStateOf } from '../src/index.ts';
import { inTransaction, migrate, openDatabase, unnest } from '../src/postgres/index.ts';
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

it('carries any text, bytes, times, numbers, JSON and nulls unchanged', async () => {
  const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.includes('\0'));
  const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
  const row = fc.record({
    a: nullable(fc.oneof(text, fc.constantFrom('NULL', '{}', '"', '\\', ' ', ''))),
    b: nullable(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
    c: nullable(fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })),
    d: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    e: nullable(
      fc.dictionary(
        text.map((name) => `.${name}`),
        fc.oneof(text, fc.boolean()),
      ),
    ),
  });
  const types = { a: 'text', b: 'bytea', c: 'timestamptz', d: 'int8', e: 'jsonb' };
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 5 }), async (rows) => {
      const source = unnest(rows, types);
      const read = await sql`select a, b, c, d, e from ${source} as r order by ordinality`.execute(db);
      expect(read.rows).toEqual(rows);
    }),
  );
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
