/** The sweep that deletes expired idempotency keys, on a table whose space was deleted and filled again. */
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, type TestDatabase, testLog } from '@payflowx/chassis/testing';
import { type Kysely, sql, type Transaction } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { purgeIdempotencyKeys } from '../src/app/purge-idempotency-keys.ts';
import type { Database } from '../src/store/database.ts';
import { countBlocks, lockSweep, purgeKeys } from '../src/store/idempotency-keys.ts';
import { MIGRATIONS } from './payment-platform.ts';

const HOUR_MS = 3_600_000;
const RETENTION_MS = 25 * HOUR_MS;
const WHOLE_TABLE = 1;

let database: TestDatabase;
let db: Kysely<Database>;
let owner: Kysely<Database>;
beforeEach(async () => {
  database = await createTestDatabase({ service: 'payment', migrations: MIGRATIONS });
  db = openDatabase<Database>({ url: database.url, poolMax: 2 }, testLog);
  owner = openDatabase<Database>({ url: database.migrateUrl, poolMax: 1 }, testLog);
  // Old and new keys stand side by side in every block.
  await insertKeys({ first: 30 });
  await purge(WHOLE_TABLE);
  await sql`vacuum idempotency_keys`.execute(owner);
  await insertKeys({ old: 26, new: 24 });
});
afterEach(async () => {
  await Promise.all([db.destroy(), owner.destroy()]);
  await database.drop();
});

const purge = (share: number) =>
  purgeIdempotencyKeys({ db, log: testLog, now: () => new Date(), retentionMs: RETENTION_MS }, share);

/** For each name, 1,000 keys of this age in hours. */
async function insertKeys(ages: Record<string, number>) {
  await sql`
    insert into idempotency_keys (caller_id, key, operation, fingerprint, payment_id, created_at)
    select caller, gen_random_uuid(), 'CreatePayment', sha256(''), 'pay_' || n, now() - make_interval(hours => hours::int)
    from generate_series(1, 1_000) as n, json_each_text(${JSON.stringify(ages)}) as age (caller, hours)
    order by n`.execute(db);
}

async function countKeys(caller: string): Promise<bigint> {
  const { rows } = await sql<{ count: bigint }>`
    select count(*) as count from idempotency_keys where caller_id = ${caller}`.execute(db);
  return rows[0]?.count ?? 0n;
}

/** Blocks of the table that this connection has read and not yet reported. */
async function blocksRead(trx: Transaction<Database>): Promise<bigint> {
  const { rows } = await sql<{ blocks: bigint }>`
    select pg_stat_get_xact_blocks_fetched('idempotency_keys'::regclass) as blocks`.execute(trx);
  return rows[0]?.blocks ?? 0n;
}

it('reads only the blocks of its part', async () => {
  await purge(WHOLE_TABLE);
  const read = await db.transaction().execute(async (trx) => {
    const before = await blocksRead(trx);
    await purgeKeys(trx, { from: 3, to: 8 }, new Date(Date.now() - RETENTION_MS));
    return (await blocksRead(trx)) - before;
  });
  expect(read).toBe(5n);
});

it('deletes all expired keys in as many rounds as it has parts, and no other key', async () => {
  const parts = 4;
  expect(await countBlocks(db)).toBeGreaterThan(parts);
  for (let round = 1; round < parts; round += 1) await purge(1 / parts);
  expect(await countKeys('old')).toBeGreaterThan(0n);
  await purge(1 / parts);
  expect([await countKeys('old'), await countKeys('new')]).toEqual([0n, 1_000n]);
});

it('goes on after a restart, and does nothing while another instance sweeps', async () => {
  await purge(1 / 4);
  const next = await db.transaction().execute((trx) => lockSweep(trx));
  expect(next).toBe(Math.ceil((await countBlocks(db)) / 4));
  await db.transaction().execute(async (trx) => {
    await lockSweep(trx);
    await purge(WHOLE_TABLE);
  });
  expect(await db.transaction().execute((trx) => lockSweep(trx))).toBe(next);
});
