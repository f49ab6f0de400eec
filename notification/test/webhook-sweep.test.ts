/** The sweep finds work without a wake-up: deliveries that are due, and those whose endpoint has ended. */
import { newId } from '@payflowx/chassis';
import { inTransaction, openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, type TestDatabase, testLog } from '@payflowx/chassis/testing';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database, DeliveryRow, EndpointRow } from '../src/store/database.ts';
import { sweepDeliveries } from '../src/store/due-deliveries.ts';
import { insertWebhookEndpoint } from './endpoint-row.ts';

let database: TestDatabase;
/** No instance sends here, so nothing changes but by the test. */
let db: Kysely<Database>;

beforeAll(async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'notification', migrations });
  db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
});
afterAll(async () => {
  await db?.destroy();
  await database?.drop();
});

const fromNow = (ms: number) => new Date(Date.now() + ms);

/** An endpoint with one pending delivery. Returns the ids of both. */
async function endpointWith(
  change: Partial<EndpointRow>,
  dueAt: Date,
): Promise<{ endpointId: string; deliveryId: string }> {
  const [endpointId, deliveryId, owner] = [newId('whe'), newId('whd'), newId('usr')];
  const now = new Date();
  await insertWebhookEndpoint(db, { id: endpointId, owner_id: owner, ...change });
  const delivery: DeliveryRow = {
    ...{ id: deliveryId, endpoint_id: endpointId, owner_id: owner, event_id: newId('evt') },
    ...{ state: 'pending', tries: 0, attempt_count: 0, next_attempt_at: dueAt, created_at: now },
  };
  await db.insertInto('webhook_deliveries').values(delivery).execute();
  return { endpointId, deliveryId };
}

const sweep = () => inTransaction(db, sweepDeliveries);

async function stateOf(deliveryId: string) {
  const row = await db
    .selectFrom('webhook_deliveries')
    .select(['state', 'next_attempt_at'])
    .where('id', '=', deliveryId)
    .executeTakeFirstOrThrow();
  return row;
}

it('wakes endpoints whose delivery has been due for a second, with their failures, and no others', async () => {
  const due = await endpointWith({ failures: 3 }, fromNow(-60_000));
  const wasPaused = await endpointWith({ paused_until: fromNow(-1_000) }, fromNow(-60_000));
  await endpointWith({}, fromNow(60_000));
  await endpointWith({ paused_until: fromNow(60_000) }, fromNow(-60_000));
  const woken = await sweep();
  expect(woken.toSorted((a, b) => b.failures - a.failures)).toEqual([
    { endpointId: due.endpointId, failures: 3 },
    { endpointId: wasPaused.endpointId, failures: 0 },
  ]);
  expect(await stateOf(due.deliveryId)).toMatchObject({ state: 'pending' });
  await db.deleteFrom('webhook_deliveries').execute();
});

it('fails what waits for an endpoint that is disabled, deleted or purged, due or not', async () => {
  const ended = [
    await endpointWith({ state: 'disabled', disabled_reason: 'request' }, fromNow(-60_000)),
    await endpointWith({ state: 'deleted' }, fromNow(60_000)),
    await endpointWith({ state: 'disabled', paused_until: fromNow(60_000) }, fromNow(60_000)),
  ];
  const purged = await endpointWith({ state: 'deleted' }, fromNow(60_000));
  await db.deleteFrom('webhook_endpoints').where('id', '=', purged.endpointId).execute();
  expect(await sweep()).toEqual([]);
  for (const { deliveryId } of [...ended, purged])
    expect(await stateOf(deliveryId)).toEqual({ state: 'failed', next_attempt_at: null });
});

it('is done by one instance at a time', async () => {
  const { endpointId } = await endpointWith({}, fromNow(-60_000));
  const inTurn = Promise.withResolvers<void>();
  const swept = Promise.withResolvers<void>();
  const first = inTransaction(db, async (trx) => {
    const woken = await sweepDeliveries(trx);
    swept.resolve();
    await inTurn.promise;
    return woken;
  });
  await swept.promise;
  expect(await sweep()).toEqual([]);
  inTurn.resolve();
  expect(await first).toEqual([{ endpointId, failures: 0 }]);
});
