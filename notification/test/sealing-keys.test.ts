/** The secrets of webhook endpoints under an earlier sealing key are sealed again, and stay the same. */
import { randomBytes } from 'node:crypto';
import { openDatabase } from '@payflowx/chassis/postgres';
import { createTestDatabase, type TestDatabase, testLog } from '@payflowx/chassis/testing';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createEndpoint, deleteEndpoint, rotateSecret } from '../src/app/manage-endpoints.ts';
import { resealSecrets } from '../src/app/reseal-secrets.ts';
import type { Database } from '../src/store/database.ts';
import { findEndpoint } from '../src/store/endpoints.ts';
import { createAddressPolicy } from '../src/webhooks/address-policy.ts';
import { openSecret } from '../src/webhooks/secrets.ts';
import { LOOPBACK } from './notification.ts';

const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
const owner = { id: 'usr_1', roles: ['customer'] as const, traceId: '', callId: 'call_1' };
let database: TestDatabase;
let db: Kysely<Database>;

beforeAll(async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  database = await createTestDatabase({ service: 'notification', migrations });
  db = openDatabase<Database>({ url: database.url, poolMax: 4 }, testLog);
});
beforeEach(async () => {
  await db.deleteFrom('webhook_endpoints').execute();
});
afterAll(async () => {
  await db?.destroy();
  await database?.drop();
});

const addresses = createAddressPolicy(LOOPBACK);
const request = { url: 'http://127.0.0.1:9/hook', eventTypes: ['*'], description: '' };
const make = (sealingKey: Buffer) => createEndpoint({ db, addresses, sealingKey }, owner, request);

it('both secrets of an endpoint are sealed with the first key', async () => {
  const { endpoint, secret: first } = await make(oldKey);
  const { secret: second } = await rotateSecret({ db, sealingKey: oldKey }, owner, endpoint.id);
  const keys = [newKey, oldKey];
  expect(await resealSecrets({ db, sealingKey: keys })).toEqual({ resealed: 1, unreadable: 0 });
  const row = await findEndpoint(db, endpoint.id);
  const open = (sealed: Buffer | null | undefined) => openSecret(sealed as Buffer, endpoint.id, newKey);
  expect([open(row?.secret), open(row?.previous_secret)]).toEqual([second, first]);
  expect(await resealSecrets({ db, sealingKey: keys })).toEqual({ resealed: 0, unreadable: 0 });
});

it('a secret that is rotated meanwhile stays the new one', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, () => make(oldKey)));
  const keys = [newKey, oldKey];
  const rotate = ({ endpoint: { id } }: (typeof made)[number]) =>
    rotateSecret({ db, sealingKey: keys }, owner, id);
  const [rotated] = await Promise.all([
    Promise.all(made.map(rotate)),
    resealSecrets({ db, sealingKey: keys }),
    resealSecrets({ db, sealingKey: keys }),
  ]);
  await resealSecrets({ db, sealingKey: keys });
  for (const [index, { endpoint, secret }] of rotated.entries()) {
    const row = await findEndpoint(db, endpoint.id);
    expect(openSecret(row?.secret as Buffer, endpoint.id, newKey)).toBe(secret);
    expect(openSecret(row?.previous_secret as Buffer, endpoint.id, newKey)).toBe(made[index]?.secret);
  }
});

it('a deleted endpoint has no secret, and one of a lost key is reported', async () => {
  const { endpoint } = await make(oldKey);
  await deleteEndpoint({ db }, owner, endpoint.id);
  await make(randomBytes(32));
  await make(oldKey);
  expect(await resealSecrets({ db, sealingKey: [newKey, oldKey] })).toEqual({ resealed: 1, unreadable: 1 });
});
