/** The ids of applied events: each is applied once, and transactions with common ids wait for each other in one order. */
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTransaction, openDatabase } from '../src/postgres/database.ts';
import { insertInbox } from '../src/postgres/inbox.ts';
import {
  createTestDatabase,
  sessionOf,
  type TestDatabase,
  testLog,
  untilBlocked,
} from '../src/testing/index.ts';

let database: TestDatabase;
let db: Kysely<unknown>;
beforeAll(async () => {
  const migrations = new URL('./messaging-migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'chassis', migrations });
  db = openDatabase({ url: database.url, poolMax: 4, lockTimeoutMs: 60_000 }, testLog);
});
afterAll(async () => {
  await db?.destroy();
  await database?.drop();
});

it('stores an id with its effect: a transaction that fails leaves none', async () => {
  const failing = inTransaction(db, async (trx) => {
    await insertInbox(trx, ['evt_1', 'evt_1', 'evt_2']);
    throw new Error('The effect failed.');
  });
  await expect(failing).rejects.toThrow('The effect failed.');
  const store = () => inTransaction(db, (trx) => insertInbox(trx, ['evt_1', 'evt_1']));
  expect(await store()).toEqual(new Set(['evt_1']));
  expect(await store()).toEqual(new Set());
});

it('stores ids in one order, however they were delivered', async () => {
  const first = await db.startTransaction().execute();
  await insertInbox(first, ['evt_a']);
  const session = Promise.withResolvers<number>();
  const waiting = inTransaction(db, async (trx) => {
    session.resolve(await sessionOf(trx));
    return insertInbox(trx, ['evt_b', 'evt_a']);
  });
  await untilBlocked(db, session.promise);
  // It waits for the first id, and has not stored the second one.
  const other = await db.startTransaction().execute();
  await sql`set local lock_timeout = '1s'`.execute(other);
  const stored = await insertInbox(other, ['evt_b']).catch((error: Error) => error.message);
  await other.rollback().execute();
  await first.rollback().execute();
  expect(await waiting).toEqual(new Set(['evt_a', 'evt_b']));
  expect(stored).toEqual(new Set(['evt_b']));
});
