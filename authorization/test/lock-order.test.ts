/** The order in which rows are locked. Two transactions that lock common rows in different orders would deadlock. */
import { openDatabase } from '@payflowx/chassis/postgres';
import { sessionOf, testLog, untilBlocked } from '@payflowx/chassis/testing';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../src/store/database.ts';
import { lockRows } from '../src/store/row-locks.ts';
import { openAccount, startService } from './running-service.ts';

let service: Awaited<ReturnType<typeof startService>>;
let db: Kysely<Database>;
beforeAll(async () => {
  service = await startService();
  db = openDatabase<Database>({ url: service.servingUrl, poolMax: 3, lockTimeoutMs: 60_000 }, testLog);
});
afterAll(async () => {
  await db?.destroy();
  await service?.stop();
});

it('accounts are locked in the order of their ids, however they are named and stored', async () => {
  const [low = '', high = ''] = [await openAccount(service), await openAccount(service)].sort();
  // An update writes the row again, behind the other one.
  await service.sql('update balances set posted = posted where account_id = $1', [low]);
  const unlock = await service.lock('select from balances where account_id = $1 for update', [low]);
  const session = Promise.withResolvers<number>();
  const locking = db.transaction().execute(async (trx) => {
    session.resolve(await sessionOf(trx));
    // An index would give the rows in order by chance. The table gives them as they are stored.
    await sql`set local enable_indexscan = off`.execute(trx);
    await sql`set local enable_bitmapscan = off`.execute(trx);
    await lockRows(trx, { accountIds: [high, low] });
  });
  await untilBlocked(db, session.promise);
  const free = await sql`select from balances where account_id = ${high} for update skip locked`.execute(db);
  await unlock();
  await locking;
  expect(free.rows, 'the second account was free while the first was waited for').toHaveLength(1);
});
