import fc from 'fast-check';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isTransient, sqlStateOf } from '../src/index.ts';
import { inTransaction, migrate, openDatabase, readUntil, unnest } from '../src/postgres/index.ts';
import { createTestDatabase, type TestDatabase, testLog, vanishingServer } from '../src/testing/index.ts';

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

it('returns any values of every type unchanged, and nulls', async () => {
  const text = fc.string({ unit: 'grapheme' }).filter((each) => !each.includes('\0'));
  const nullable = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: null });
  const time = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31'),
    noInvalidDate: true,
  });
  const int = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
  const json = fc.dictionary(
    text.map((name) => `.${name}`),
    fc.oneof(text, fc.boolean()),
  );
  const row = fc.record({
    a: nullable(fc.oneof(text, fc.constantFrom('NULL', '{}', '"', '\\', ' ', ''))),
    b: nullable(fc.uint8Array({ maxLength: 200, size: 'max' }).map((bytes) => Buffer.from(bytes))),
    c: nullable(time),
    d: nullable(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    e: nullable(json),
    f: nullable(int(32)),
    g: nullable(int(16)),
    h: nullable(fc.boolean()),
    i: nullable(time.map((each) => each.toISOString().slice(0, 10))),
    j: nullable(fc.nat({ max: 2 ** 32 - 1 }).map(String)),
  });
  const types = {
    a: 'text',
    b: 'bytea',
    c: 'timestamptz',
    d: 'int8',
    e: 'jsonb',
    f: 'int4',
    g: 'int2',
    h: 'bool',
    i: 'date',
    j: 'xid',
  } as const;
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 5 }), async (rows) => {
      const source = unnest(rows, types);
      const read =
        await sql`select a, b, c, d, e, f, g, h, i, j from ${source} as r order by ordinality`.execute(db);
      expect(read.rows).toEqual(rows);
    }),
  );
});

it('returns json with its order and spaces unchanged', async () => {
  const rows = [{ id: 1, note: '{"b": 1,  "a": 2}' }];
  const { rows: read } = await sql`
    select note::text from ${unnest(rows, { id: 'int4', note: 'json' })} as r`.execute(db);
  expect(read).toEqual([{ note: '{"b": 1,  "a": 2}' }]);
});

it('encodes arrays larger than its buffer, and keeps two concurrent statements apart', async () => {
  const rows = (letter: string) =>
    Array.from({ length: 300 }, (_, index) => ({ id: `${index}`, note: letter.repeat(2_000) }));
  const summaryOf = async (letter: string) => {
    const { rows: read } = await sql`
      select count(distinct id)::int4 as ids, count(distinct note)::int4 as notes, min(note) as note
      from ${unnest(rows(letter), { id: 'text', note: 'text' })} as r`.execute(db);
    return read;
  };
  const letters = ['a', 'ß', '語'];
  expect(await Promise.all(letters.map(summaryOf))).toEqual(
    letters.map((letter) => [{ ids: 300, notes: 1, note: letter.repeat(2_000) }]),
  );
});

it('refuses a number that does not fit its type before it sends anything', () => {
  expect(() => unnest([{ amount: 2n ** 63n }], { amount: 'int8' })).toThrow(RangeError);
  expect(() => unnest([{ count: 2 ** 31 }], { count: 'int4' })).toThrow(RangeError);
});

it('prepares a statement once for any number of rows, and plans it only for the first few executions', async () => {
  await inTransaction(db, async (trx) => {
    for (let count = 1; count <= 10; count += 1) {
      const rows = Array.from({ length: 30 + count }, (_, index) => ({ id: `${count}-${index}` }));
      await sql`select id from ${unnest(rows, { id: 'text' })} as r`.execute(trx);
    }
    // After five custom plans, Postgres itself chooses the generic plan: https://www.postgresql.org/docs/18/sql-prepare.html
    const { rows } = await sql`
      select generic_plans, custom_plans from pg_prepared_statements where statement like 'select id from (select%'`.execute(
      trx,
    );
    expect(rows).toEqual([{ generic_plans: 5n, custom_plans: 5n }]);
  });
});

it('serves with a role that cannot do what was not granted', async () => {
  const refused = await sql`delete from things`.execute(db).catch(sqlStateOf);
  expect(refused).toBe('42501');
});

it('lets several instances migrate at the same time', async () => {
  const settings = { url: database.migrateUrl, folder: migrations };
  await Promise.all([migrate(settings, testLog), migrate(settings, testLog), migrate(settings, testLog)]);
});

it('retries a transaction that Postgres aborted after a deadlock', async () => {
  await sql`insert into things (id, amount) values ('x', 0), ('y', 0) on conflict do nothing`.execute(db);
  const admin = openDatabase<Things>({ url: database.adminUrl, poolMax: 2 }, testLog);
  // Each transaction has its first lock before either requests its second.
  let waiting = 2;
  const both = Promise.withResolvers<void>();
  const lock = (first: string, second: string) =>
    inTransaction(admin, async (trx) => {
      await sql`update things set amount = amount + 1 where id = ${first}`.execute(trx);
      waiting -= 1;
      if (waiting === 0) both.resolve();
      await both.promise;
      await sql`update things set amount = amount + 1 where id = ${second}`.execute(trx);
    });
  await Promise.all([lock('x', 'y'), lock('y', 'x')]);
  const { rows } = await sql`select amount from things where id in ('x', 'y')`.execute(admin);
  await admin.destroy();
  expect(rows).toEqual([{ amount: 2n }, { amount: 2n }]);
});

it('survives connections that break while they are in use', async () => {
  const own = openDatabase<Things>({ url: database.url, poolMax: 1 }, testLog);
  const pid = sql<{ pid: number }>`select pg_backend_pid() as pid`;
  const cut = async (backend: number | undefined) => {
    const { rows } = await sql<{
      ended: boolean;
    }>`select pg_terminate_backend(${backend}, 5000) as ended`.execute(admin);
    expect(rows).toEqual([{ ended: true }]);
  };
  const admin = openDatabase<Things>({ url: database.adminUrl, poolMax: 1 }, testLog);

  // Between two statements of a transaction no query is pending, so the break is only an event.
  const idle = inTransaction(own, async (trx) => {
    await cut((await pid.execute(trx)).rows[0]?.pid);
    return pid.execute(trx);
  });
  await expect(idle).rejects.toSatisfy(isTransient);

  const [running] = (await pid.execute(own)).rows;
  const asleep = expect(sql`select pg_sleep(20)`.execute(own)).rejects.toSatisfy(isTransient);
  await cut(running?.pid);
  await asleep;

  expect((await pid.execute(own)).rows).toHaveLength(1);
  await Promise.all([own.destroy(), admin.destroy()]);
});

it('gives up on a server that vanished without closing the connection', async () => {
  const proxy = await vanishingServer(database.url);
  const own = openDatabase<Things>({ url: proxy.url, poolMax: 1, statementTimeoutMs: 100 }, testLog);
  await sql`select 1`.execute(own);
  proxy.freeze();
  await expect(sql`select 1`.execute(own)).rejects.toSatisfy(isTransient);
  await own.destroy();
  await proxy.close();
});

it('ends a long statement in Postgres at the deadline of its caller', async () => {
  const read = (deadline: Date) =>
    readUntil(db, { deadline, maxStatementMs: 60_000 }, (trx) =>
      sql`select pg_sleep(600) as sleeper`.execute(trx),
    );
  const refused = { reason: 'DEADLINE_EXCEEDED' };
  await expect(read(new Date(Date.now() + 100))).rejects.toMatchObject(refused);
  await expect(read(new Date(Date.now() - 1))).rejects.toMatchObject(refused);
  const { rows } = await sql<{ count: bigint }>`
    select count(*) as count from pg_stat_activity
    where datname = current_database() and state = 'active' and query like '%as sleeper%' and pid <> pg_backend_pid()`.execute(
    db,
  );
  expect(rows).toEqual([{ count: 0n }]);
});
