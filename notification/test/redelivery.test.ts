import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, type TestDatabase, testLog } from '@payflowx/chassis/testing';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { redeliverFailed } from '../src/app/manage-deliveries.ts';
import type { Database } from '../src/store/database.ts';
import { insertWebhookEndpoint } from './endpoint-row.ts';

let database: TestDatabase;
let db: Kysely<Database>;
const caller = { id: newId('usr'), roles: ['customer'] as const };
let endpointId: string;

beforeAll(async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'notification', migrations });
  db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});
beforeEach(async () => {
  ({ id: endpointId } = await insertWebhookEndpoint(db, { owner_id: caller.id }));
});

/** Failed deliveries of that age, with their events. */
async function fail(count: number, ageMinutes: number): Promise<void> {
  await sql`
    with made as (
      insert into events (id, position, type, payment_id, sender_owner_id, created_at, content)
      select 'evt_' || uuidv7(), nextval('event_positions'), 'payment.completed', 'pay_1', ${caller.id}, now(), ''
      from generate_series(1, ${count}::int) returning id
    )
    insert into webhook_deliveries (id, endpoint_id, owner_id, event_id, state, tries, created_at)
    select 'whd_' || uuidv7(-make_interval(mins => ${ageMinutes}::int)), ${endpointId}, ${caller.id}, id, 'failed', 10,
      now() - make_interval(mins => ${ageMinutes}::int)
    from made`.execute(db);
}

const redeliver = (minutes: number) =>
  redeliverFailed({ db, wake: () => {} }, caller, {
    endpointId,
    createdAfter: new Date(Date.now() - minutes * 60_000),
  });
const pending = async () => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from webhook_deliveries where endpoint_id = ${endpointId} and state = 'pending'`.execute(
    db,
  );
  return rows[0]?.count;
};

it('starts a bounded number of deliveries again, and the rest when it is repeated', async () => {
  await fail(10_050, 10);
  await fail(5, 60);
  expect(await redeliver(30)).toBe(10_000);
  expect(await pending()).toBe(10_000);
  expect(await redeliver(30)).toBe(50);
  expect(await redeliver(30)).toBe(0);
  expect(await pending()).toBe(10_050);
  expect(await redeliver(90)).toBe(5);
});

it('starts each delivery once, however many requests come at once', async () => {
  await fail(500, 10);
  const counts = await Promise.all(Array.from({ length: 4 }, () => redeliver(30)));
  expect(counts.toSorted((a, b) => b - a)).toEqual([500, 0, 0, 0]);
});

it('leaves out deliveries whose event is no longer kept', async () => {
  await fail(3, 10);
  await sql`
    delete from events where id in (select event_id from webhook_deliveries where endpoint_id = ${endpointId} limit 1)`.execute(
    db,
  );
  expect(await redeliver(30)).toBe(2);
});
