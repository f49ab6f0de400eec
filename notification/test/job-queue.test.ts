import { inTransaction, openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, eventually, type TestDatabase, testLog } from '@payflowx/chassis/testing';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type JobQueue, startJobQueue } from '../src/jobs/job-queue.ts';
import type { Database } from '../src/store/database.ts';

let database: TestDatabase;
let db: Kysely<Database>;
let queue: JobQueue;

beforeAll(async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'notification', migrations });
  db = openDatabase<Database>({ url: database.url, poolMax: 2 }, testLog);
  queue = await startJobQueue(database, testLog);
});
afterAll(async () => {
  await queue.stop();
  await db.destroy();
  await database.drop();
});

const QUEUE = 'webhooks';
const add = (...keys: string[]) =>
  inTransaction(db, (trx) =>
    queue.add(
      QUEUE,
      keys.map((singletonKey) => ({ singletonKey })),
      trx,
    ),
  );

it('stores a job only if the transaction of its cause commits, and one queued job of each key', async () => {
  const rolledBack = inTransaction(db, async (trx) => {
    await queue.add(QUEUE, [{ singletonKey: 'rolled back' }], trx);
    throw new Error('rolled back');
  });
  await expect(rolledBack).rejects.toThrow('rolled back');
  await add('a');
  await add('a', 'b');
  const claimed = await queue.claim(QUEUE, 10);
  expect(claimed).toHaveLength(2);

  // While a job is active, one more is queued. It is claimed after the first is finished.
  await add('a');
  await add('a');
  expect(await queue.claim(QUEUE, 10)).toEqual([]);
  await queue.finish(QUEUE, claimed);
  const [next, ...others] = await queue.claim(QUEUE, 10);
  expect(others).toEqual([]);
  await queue.finish(
    QUEUE,
    [next].filter((job) => job !== undefined),
  );
  expect(await queue.claim(QUEUE, 10)).toEqual([]);
});

it('keeps no row of a job that is finished, and its table is vacuumed by the number of dead rows', async () => {
  for (let round = 0; round < 3; round += 1) {
    await add(...Array.from({ length: 50 }, (_, index) => `row ${index}`));
    await queue.finish(QUEUE, await queue.claim(QUEUE, 100));
  }
  const { rows } = await sql`select name from jobs.job where singleton_key like 'row %'`.execute(db);
  expect(rows).toEqual([]);
  const { rows: tables } = await sql`
    select array_to_string(reloptions, ' ') as options from pg_class where oid = 'jobs.job_common'::regclass`.execute(
    db,
  );
  expect(tables).toMatchObject([
    { options: expect.stringMatching(/vacuum_scale_factor=0 .*vacuum_threshold=2000/) },
  ]);
});

it('returns the job of an instance that died to the queue, and keeps one that is reported', async () => {
  await add('dead', 'alive');
  const claimed = await queue.claim(QUEUE, 10);
  const [dead, alive] = claimed;
  if (!dead || !alive) throw new Error('not claimed');
  const reporting = setInterval(() => void queue.report(QUEUE, [alive]), 2_000);
  const again = await eventually(async () => {
    const jobs = await queue.claim(QUEUE, 10);
    expect(jobs).toHaveLength(1);
    return jobs;
  });
  clearInterval(reporting);
  expect(again.map(({ id }) => id)).toEqual([dead.id]);
  // The dead instance was only slow. It cannot finish the attempt of the other one.
  await queue.finish(QUEUE, [dead]);
  await queue.giveBack(QUEUE, again, 'stopped');
  expect(await queue.claim(QUEUE, 10)).toMatchObject([{ id: dead.id }]);
});
