/** Kills the process at the worst moments between a message and its webhook. */
import { randomBytes } from 'node:crypto';
import { newId } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, mortalScript, type TestDatabase, testLog } from '@payflowx/chassis/testing';
import { PaymentEvent } from '@payflowx/proto/payment';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEndpoint } from '../src/app/manage-endpoints.ts';
import type { Database } from '../src/store/database.ts';
import { createAddressPolicy } from '../src/webhooks/address-policy.ts';
import { completed, LOOPBACK } from './notification.ts';
import { type Receiver, startReceiver } from './receiver.ts';

const sealingKey = randomBytes(32);
let database: TestDatabase;
let db: Kysely<Database>;
let receiver: Receiver;

beforeAll(async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'notification', migrations });
  db = openDatabase<Database>({ url: database.url, poolMax: 2 }, testLog);
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver.close();
  await db.destroy();
  await database.drop();
});

it.each([
  ['notification.after-commit', 1],
  ['notification.after-webhook-sent', 2],
  ['notification.after-webhook-stored', 1],
])(
  'a kill at %s loses no webhook: it arrives, always with the same id (%i times)',
  async (point, arrivals) => {
    const owner = { id: newId('usr'), roles: ['customer'] as const };
    const deps = { db, addresses: createAddressPolicy(LOOPBACK), sealingKey };
    await createEndpoint(deps, owner, { url: receiver.url, eventTypes: ['*'], description: '' });
    const event = completed(owner.id, newId('usr'));
    const encoded = Buffer.from(PaymentEvent.encode(event).finish()).toString('base64');
    const script = await mortalScript(new URL('deliver-until-done.ts', import.meta.url), [
      database.url,
      sealingKey.toString('base64'),
      encoded,
    ]);
    await script.dieAt(point);
    await script.finish();
    await script.drop();
    const arrived = receiver.received.filter(({ headers }) => headers['webhook-id'] === event.id);
    expect(arrived).toHaveLength(arrivals);
    const deliveries = await db
      .selectFrom('webhook_deliveries')
      .select('state')
      .where('event_id', '=', event.id)
      .execute();
    expect(deliveries).toEqual([{ state: 'delivered' }]);
  },
);
