import { status } from '@grpc/grpc-js';
import { connectGrpc, type Neighbour, newId, type RoleName, serveGrpc } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  attackedList,
  createTestDatabase,
  createTestIdentity,
  expectTokensToBeBound,
  PATIENCE_MS,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import { NotificationServiceClient, NotificationServiceService } from '@payflowx/proto/notification';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordNotices } from '../src/app/record-notices.ts';
import type { EventType } from '../src/domain/notice.ts';
import { notificationService } from '../src/rpc/notification-service.ts';
import type { Database } from '../src/store/database.ts';

const identity = createTestIdentity();
let db: Kysely<Database>;
let client: Neighbour<NotificationServiceService>;
const stopping: (() => unknown)[] = [];

beforeAll(async () => {
  const migrations = new URL('../migrations/', import.meta.url);
  const database = await createTestDatabase({ service: 'notification', migrations });
  db = openDatabase<Database>({ url: database.url, poolMax: 2 }, testLog);
  const { verifier } = identity;
  const settings = {
    host: '127.0.0.1',
    port: 0,
    reflection: false,
    pageTokenKey: testPageTokenKey,
    verifier,
    log: testLog,
  };
  const server = await serveGrpc(settings, [notificationService({ db, figuresDb: db })]);
  client = connectGrpc(NotificationServiceClient, { target: `ipv4:127.0.0.1:${server.port}` });
  stopping.push(
    () => client.close(),
    () => server.drain(),
    () => db.destroy(),
    () => database.drop(),
  );
});
afterAll(async () => {
  for (const stop of stopping) await stop();
});

async function figures(request = {}, role: RoleName = 'service') {
  const accessToken = await identity.tokenFor({ id: 'usr_any', roles: [role] });
  const whole = { pageSize: 0, pageToken: '', accountIds: [], ...request };
  return client.listAccountFigures(whole, { deadlineMs: PATIENCE_MS, accessToken });
}

const record = (type: EventType, from: string, to: string, paymentId = newId('pay')) =>
  recordNotices({ db }, [
    {
      eventId: newId('evt'),
      type,
      occurredAt: new Date(),
      paymentId,
      amountMinor: 100n,
      movedMinor: 100n,
      capturedMinor: 100n,
      freedMinor: 0n,
      currency: 'EUR',
      failure: '',
      sender: { accountId: `acct_${from}`, ownerId: `usr_${from}` },
      receiver: { accountId: `acct_${to}`, ownerId: to === 'external' ? '' : `usr_${to}` },
    },
  ]);

it('counts the notifications of each account, page by page', async () => {
  await record('payment.authorized', 'ann', 'bob');
  await record('payment.completed', 'ann', 'bob');
  await record('payment.failed', 'ann', 'cid');
  await record('payment.completed', 'dan', 'external');
  const all = [
    { accountId: 'acct_ann', notificationCount: 3n },
    { accountId: 'acct_bob', notificationCount: 2n },
    { accountId: 'acct_dan', notificationCount: 1n },
  ];
  expect(await figures()).toEqual({ accounts: all, nextPageToken: '' });
  const first = await figures({ pageSize: 2 });
  expect(first.accounts).toEqual(all.slice(0, 2));
  const second = await figures({ pageSize: 2, pageToken: first.nextPageToken });
  expect(second).toEqual({ accounts: all.slice(2), nextPageToken: '' });
  const some = await figures({ accountIds: ['acct_dan', 'acct_none', 'acct_ann'] });
  expect(some.accounts).toEqual([all[0], all[2]]);
});

it('accepts a page token only for its own list, caller and filters', async () => {
  const as = async (id: string, role: RoleName) => ({
    deadlineMs: PATIENCE_MS,
    accessToken: await identity.tokenFor({ id, roles: [role] }),
  });
  const paymentId = newId('pay');
  await record('payment.authorized', 'ann', 'bob', paymentId);
  await record('payment.completed', 'ann', 'bob', paymentId);
  await expectTokensToBeBound([NotificationServiceService], {
    listNotifications: attackedList({
      call: client.listNotifications,
      filters: { paymentId: '', accountId: 'acct_ann' },
      as: await as('usr_ann', 'customer'),
      otherCallers: [await as('usr_bob', 'customer'), await as('usr_ann', 'operator')],
      otherFilters: [{ accountId: '' }, { accountId: 'acct_bob' }, { paymentId }],
    }),
    listAccountFigures: attackedList({
      call: client.listAccountFigures,
      filters: { accountIds: [] },
      as: await as('svc_ledger', 'service'),
      otherCallers: [await as('svc_other', 'service')],
      otherFilters: [{ accountIds: ['acct_ann', 'acct_bob'] }],
    }),
  });
});

it('is allowed for services only', async () => {
  for (const role of ['customer', 'operator', 'auditor'] as const) {
    await expect(figures({}, role)).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  }
});
