import { status } from '@grpc/grpc-js';
import { connectGrpc, type Neighbour, newId, type RoleName, serveGrpc } from '@payflowx/chassis';
import { openDatabase } from '@payflowx/chassis/postgres';
import {
  attackedList,
  createTestDatabase,
  createTestIdentity,
  expectTokensToBeBound,
  PATIENCE_MS,
  testCertificates,
  testLog,
  testPageTokenKey,
} from '@payflowx/chassis/testing';
import {
  NotificationServiceClient,
  NotificationServiceService,
  RecordKind,
  WebhookDeliveryState,
  WebhookEndpointState,
} from '@payflowx/proto/notification';
import type { Kysely } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordSteps } from '../src/app/record-steps.ts';
import type { EventType } from '../src/domain/events.ts';
import { notificationService } from '../src/rpc/notification-service.ts';
import type { Database } from '../src/store/database.ts';
import { withoutWebhooks } from './notification.ts';

const identity = createTestIdentity();
let db: Kysely<Database>;
let client: Neighbour<NotificationServiceService>;
let ledger: Neighbour<NotificationServiceService>;
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
    certificates: testCertificates('notification'),
    verifier,
    log: testLog,
  };
  const server = await serveGrpc(settings, [notificationService({ ...withoutWebhooks(db), figuresDb: db })]);
  const target = `ipv4:127.0.0.1:${server.port}`;
  client = connectGrpc(NotificationServiceClient, { target, certificates: testCertificates() });
  ledger = connectGrpc(NotificationServiceClient, { target, certificates: testCertificates('ledger') });
  stopping.push(
    () => client.close(),
    () => ledger.close(),
    () => server.drain(),
    () => db.destroy(),
    () => database.drop(),
  );
});
afterAll(async () => {
  for (const stop of stopping) await stop();
});

async function figures(request = {}) {
  const whole = { pageSize: 0, pageToken: '', accountIds: [], ...request };
  return ledger.listAccountFigures(whole, { deadlineMs: PATIENCE_MS });
}

const record = (type: EventType, from: string, to: string, paymentId = newId('pay')) =>
  recordSteps({ db, wake: () => {} }, [
    {
      eventId: newId('evt'),
      type,
      occurredAt: new Date(),
      paymentId,
      version: 2n,
      amountMinor: 100n,
      movedMinor: 100n,
      capturedMinor: 100n,
      freedMinor: 0n,
      currency: 'EUR',
      failure: { code: '', message: '' },
      isCollected: false,
      description: '',
      reference: '',
      content: Buffer.alloc(0),
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
  const ann = await as('usr_ann', 'customer');
  const operator = await as('usr_op', 'operator');
  const endpoint = { url: 'http://127.0.0.1:9/', eventTypes: ['*'], description: '' };
  await client.createWebhookEndpoint(endpoint, ann);
  const made = await client.createWebhookEndpoint(endpoint, ann);
  const endpointId = made.endpoint?.id ?? '';
  await record('payment.authorized', 'ann', 'bob', paymentId);
  await record('payment.completed', 'ann', 'bob', paymentId);
  const unchanged = { endpointId, url: undefined, eventTypes: [], description: undefined };
  for (const state of [WebhookEndpointState.DISABLED, WebhookEndpointState.ENABLED])
    await client.updateWebhookEndpoint({ ...unchanged, state }, operator);
  const others = [await as('usr_bob', 'customer'), operator];
  await expectTokensToBeBound([NotificationServiceService], {
    listEvents: attackedList({
      call: client.listEvents,
      filters: { types: [], paymentId: '', accountId: '', createdAfter: undefined, createdBefore: undefined },
      as: ann,
      otherCallers: others,
      otherFilters: [{ paymentId }, { accountId: 'acct_ann' }, { types: ['payment.completed'] }],
    }),
    listWebhookEndpoints: attackedList({
      call: client.listWebhookEndpoints,
      filters: {},
      as: ann,
      otherCallers: others,
      otherFilters: [],
    }),
    listWebhookDeliveries: attackedList({
      call: client.listWebhookDeliveries,
      filters: { endpointId: '', eventId: '', state: WebhookDeliveryState.UNSPECIFIED },
      as: ann,
      otherCallers: others,
      otherFilters: [{ endpointId }, { state: WebhookDeliveryState.PENDING }],
    }),
    listWebhookAuditRecords: attackedList({
      call: client.listWebhookAuditRecords,
      filters: { endpointId: '', actorId: '' },
      as: operator,
      otherCallers: [await as('usr_other', 'operator'), await as('usr_auditor', 'auditor')],
      otherFilters: [{ endpointId }, { actorId: 'usr_op' }],
    }),
    listNotifications: attackedList({
      call: client.listNotifications,
      filters: { paymentId: '', accountId: 'acct_ann' },
      as: await as('usr_ann', 'customer'),
      otherCallers: [await as('usr_bob', 'customer'), await as('usr_ann', 'operator')],
      otherFilters: [{ accountId: '' }, { accountId: 'acct_bob' }, { paymentId }],
    }),
    listAccountFigures: attackedList({
      call: ledger.listAccountFigures,
      filters: { accountIds: [] },
      as: { deadlineMs: PATIENCE_MS },
      // No other service may call it.
      otherCallers: [],
      otherFilters: [{ accountIds: ['acct_ann', 'acct_bob'] }],
    }),
  });
});

it('counts missing records for the ledger, by kind and account', async () => {
  await record('payment.completed', 'eve', 'external');
  await db.deleteFrom('events').where('sender_owner_id', '=', 'usr_eve').execute();
  const { missing, pairCount, examinedFrom } = await ledger.countMissingRecords(
    {},
    { deadlineMs: PATIENCE_MS },
  );
  expect(missing).toEqual([{ accountId: 'acct_eve', kind: RecordKind.EVENT, count: 1n }]);
  expect(pairCount).toBe(1n);
  expect(examinedFrom?.getTime()).toBeLessThan(Date.now() - 29 * 86_400_000);
});

it('is not for users', async () => {
  for (const role of ['customer', 'operator', 'auditor'] as const) {
    const accessToken = await identity.tokenFor({ id: 'usr_any', roles: [role] });
    const whole = { pageSize: 0, pageToken: '', accountIds: [] };
    const refused = client.listAccountFigures(whole, { deadlineMs: PATIENCE_MS, accessToken });
    const counting = client.countMissingRecords({}, { deadlineMs: PATIENCE_MS, accessToken });
    for (const each of [refused, counting])
      await expect(each).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  }
});
