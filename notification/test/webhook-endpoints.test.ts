/** Webhook endpoints and their deliveries: who sees and changes them, and what follows from their states. */
import { newId } from '@payflowx/chassis';
import { eventually, testLog } from '@payflowx/chassis/testing';
import {
  WebhookDeliveryState as DeliveryState,
  WebhookEndpointState as EndpointState,
} from '@payflowx/proto/notification';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { purgeEvents } from '../src/app/purge-events.ts';
import { completed, startNotification, type TestNotification } from './notification.ts';
import { type Receiver, startReceiver } from './receiver.ts';

let platform: TestNotification;
let receiver: Receiver;
/** The status that the receiver answers with. */
let answer = 204;
type Call = Awaited<ReturnType<TestNotification['as']>>;
let stranger: Call;
let operator: Call;
let auditor: Call;
const operatorId = newId('usr');

beforeAll(async () => {
  platform = await startNotification();
  receiver = await startReceiver((response) => response.writeHead(answer).end());
  stranger = await platform.as(newId('usr'));
  operator = await platform.as(operatorId, 'operator');
  auditor = await platform.as(newId('usr'), 'auditor');
});
beforeEach(() => {
  answer = 204;
});
afterAll(async () => {
  await platform.stop();
  await receiver.close();
});

async function newEndpoint() {
  const owner = newId('usr');
  const call = await platform.as(owner);
  const request = { url: receiver.url, eventTypes: ['*'], description: 'mine' };
  const { endpoint } = await platform.client.createWebhookEndpoint(request, call);
  return { owner, call, id: endpoint?.id ?? '' };
}
type Endpoint = Awaited<ReturnType<typeof newEndpoint>>;

const unchanged = { url: undefined, eventTypes: [], description: undefined };
const update = (id: string, change: object, call: Call) =>
  platform.client.updateWebhookEndpoint(
    { ...unchanged, state: EndpointState.UNSPECIFIED, ...change, endpointId: id },
    call,
  );
const setState = (id: string, state: EndpointState, call: Call) => update(id, { state }, call);

const listed = async (filter: object, call: Call) => {
  const all = { pageSize: 100, pageToken: '', endpointId: '', eventId: '', state: DeliveryState.UNSPECIFIED };
  return (await platform.client.listWebhookDeliveries({ ...all, ...filter }, call)).deliveries;
};

/** Waits until the only delivery of the endpoint has this state. */
const deliveryIn = (endpoint: Endpoint, state: DeliveryState) =>
  eventually(async () => {
    const [delivery, ...others] = await listed({ endpointId: endpoint.id }, endpoint.call);
    expect(others).toEqual([]);
    expect(delivery).toMatchObject({ state, attempts: [expect.anything()] });
    return delivery as NonNullable<typeof delivery>;
  });

/** An event of the owner, delivered or failed. */
async function newDelivery(endpoint: Endpoint, state: DeliveryState = DeliveryState.DELIVERED) {
  await platform.record(completed(endpoint.owner, newId('usr')));
  if (state !== DeliveryState.FAILED) return deliveryIn(endpoint, state);
  const pending = await deliveryIn(endpoint, DeliveryState.PENDING);
  await platform.db
    .updateTable('webhook_deliveries')
    .set({ state: 'failed', tries: 10, next_attempt_at: null })
    .where('id', '=', pending.id)
    .execute();
  return pending;
}

describe('an endpoint', () => {
  it('and its deliveries are seen by their owner, operators and auditors, with every filter, and by no other user', async () => {
    const [endpoint, other] = [await newEndpoint(), await newEndpoint()];
    const delivery = await newDelivery(endpoint);
    const theirs = await newDelivery(other);
    const filters = [
      { endpointId: endpoint.id },
      { eventId: delivery.eventId },
      { endpointId: endpoint.id, state: DeliveryState.DELIVERED },
      { endpointId: endpoint.id, eventId: delivery.eventId, state: DeliveryState.DELIVERED },
    ];
    const idsOf = async (filter: object, call: Call) => (await listed(filter, call)).map(({ id }) => id);
    for (const filter of filters) {
      for (const call of [endpoint.call, operator, auditor])
        expect(await idsOf(filter, call), JSON.stringify(filter)).toEqual([delivery.id]);
      for (const call of [other.call, stranger])
        expect(await idsOf(filter, call), JSON.stringify(filter)).toEqual([]);
    }
    for (const filter of [{ state: DeliveryState.FAILED }, { eventId: theirs.eventId }])
      expect(await idsOf({ endpointId: endpoint.id, ...filter }, operator)).toEqual([]);
    expect(await idsOf({}, endpoint.call)).toEqual([delivery.id]);
    expect(await idsOf({ state: DeliveryState.DELIVERED }, operator)).toEqual(
      expect.arrayContaining([delivery.id, theirs.id]),
    );

    const { client } = platform;
    const page = { pageSize: 100, pageToken: '' };
    const endpointsOf = async (call: Call) =>
      (await client.listWebhookEndpoints(page, call)).endpoints.map(({ id }) => id);
    expect(await endpointsOf(endpoint.call)).toEqual([endpoint.id]);
    expect(await endpointsOf(stranger)).toEqual([]);
    expect(await endpointsOf(auditor)).toEqual(expect.arrayContaining([endpoint.id, other.id]));
    const notFound = { reason: 'ENDPOINT_NOT_FOUND' };
    const endpointId = endpoint.id;
    for (const call of [endpoint.call, operator, auditor]) {
      await client.getWebhookEndpoint({ endpointId }, call);
      await client.getWebhookDelivery({ deliveryId: delivery.id }, call);
    }
    await expect(client.getWebhookEndpoint({ endpointId }, stranger)).rejects.toMatchObject(notFound);
    const read = client.getWebhookDelivery({ deliveryId: delivery.id }, stranger);
    await expect(read).rejects.toMatchObject({ reason: 'DELIVERY_NOT_FOUND' });
  });

  it.each<[string, (endpoint: Endpoint, deliveryId: string, call: Call) => Promise<unknown>]>([
    ['change the URL', ({ id }, _, call) => update(id, { url: receiver.url }, call)],
    ['change the types', ({ id }, _, call) => update(id, { eventTypes: ['payment.failed'] }, call)],
    ['change the description', ({ id }, _, call) => update(id, { description: 'theirs' }, call)],
    ['rotate the secret', ({ id }, _, call) => platform.client.rotateWebhookSecret({ endpointId: id }, call)],
    ['send a test', ({ id }, _, call) => platform.client.testWebhookEndpoint({ endpointId: id }, call)],
    [
      'start failed deliveries again',
      ({ id }, _, call) =>
        platform.client.redeliverWebhooks({ endpointId: id, createdAfter: new Date(0) }, call),
    ],
    [
      'start a delivery again',
      (_, deliveryId, call) => platform.client.redeliverWebhook({ deliveryId }, call),
    ],
    ['delete it', ({ id }, _, call) => platform.client.deleteWebhookEndpoint({ endpointId: id }, call)],
  ])('lets only its owner %s', async (_, act) => {
    const endpoint = await newEndpoint();
    const { id } = await newDelivery(endpoint);
    await expect(act(endpoint, id, operator)).rejects.toMatchObject({ reason: 'NOT_YOUR_ENDPOINT' });
    await expect(act(endpoint, id, stranger)).rejects.toMatchObject({
      reason: expect.stringMatching(/^(ENDPOINT|DELIVERY)_NOT_FOUND$/),
    });
    await act(endpoint, id, endpoint.call);
  });

  it('that an operator disabled is enabled by an operator only, and both are recorded', async () => {
    const { id, owner, call } = await newEndpoint();
    const { endpoint } = await setState(id, EndpointState.DISABLED, operator);
    expect(endpoint).toMatchObject({ state: EndpointState.DISABLED, disabledReason: 'operator' });
    await setState(id, EndpointState.DISABLED, operator);
    await expect(setState(id, EndpointState.ENABLED, call)).rejects.toMatchObject({
      reason: 'NOT_YOUR_ENDPOINT',
    });
    const enabled = await setState(id, EndpointState.ENABLED, operator);
    expect(enabled.endpoint).toMatchObject({ state: EndpointState.ENABLED, disabledReason: '' });

    // An action of its owner is no action of an operator, and no operator can undo it.
    await setState(id, EndpointState.DISABLED, call);
    await expect(setState(id, EndpointState.ENABLED, operator)).rejects.toMatchObject({
      reason: 'NOT_YOUR_ENDPOINT',
    });
    await setState(id, EndpointState.ENABLED, call);
    const audit = async (filter: object) => {
      const all = { pageSize: 100, pageToken: '', endpointId: '', actorId: '' };
      return (await platform.client.listWebhookAuditRecords({ ...all, ...filter }, auditor)).records;
    };
    const record = {
      actorId: operatorId,
      endpointId: id,
      ownerId: owner,
      clientId: '',
      callId: expect.stringMatching(/^call_/),
    };
    expect(await audit({ endpointId: id })).toMatchObject([
      { ...record, action: 'webhook_endpoint.enabled' },
      { ...record, action: 'webhook_endpoint.disabled' },
    ]);
    expect(await audit({ endpointId: id, actorId: operatorId })).toHaveLength(2);
    expect(await audit({ endpointId: id, actorId: owner })).toEqual([]);
  });

  it('is not disabled or enabled by an auditor, also if it is a customer too', async () => {
    const { id, call } = await newEndpoint();
    const seesAll = await platform.as(newId('usr'), 'customer', 'auditor');
    await expect(setState(id, EndpointState.DISABLED, seesAll)).rejects.toMatchObject({
      reason: 'NOT_YOUR_ENDPOINT',
    });
    await setState(id, EndpointState.DISABLED, operator);
    await expect(setState(id, EndpointState.ENABLED, seesAll)).rejects.toMatchObject({
      reason: 'NOT_YOUR_ENDPOINT',
    });
    const { endpoint } = await platform.client.getWebhookEndpoint({ endpointId: id }, call);
    expect(endpoint).toMatchObject({ state: EndpointState.DISABLED });
  });

  it('that is disabled gets no events, and nothing is sent to it again', async () => {
    const endpoint = await newEndpoint();
    const { id: deliveryId } = await newDelivery(endpoint);
    await setState(endpoint.id, EndpointState.DISABLED, endpoint.call);
    await platform.record(completed(endpoint.owner, newId('usr')));
    expect(await listed({ endpointId: endpoint.id }, endpoint.call)).toHaveLength(1);
    const endpointId = endpoint.id;
    const { client } = platform;
    for (const again of [
      () => client.redeliverWebhook({ deliveryId }, endpoint.call),
      () => client.redeliverWebhooks({ endpointId, createdAfter: new Date(0) }, endpoint.call),
      () => client.testWebhookEndpoint({ endpointId }, endpoint.call),
    ])
      await expect(again()).rejects.toMatchObject({ reason: 'ENDPOINT_DISABLED' });
  });

  it('that is deleted is not found, keeps no secret, and its waiting deliveries have failed', async () => {
    answer = 500;
    const endpoint = await newEndpoint();
    await platform.client.rotateWebhookSecret({ endpointId: endpoint.id }, endpoint.call);
    await newDelivery(endpoint, DeliveryState.PENDING);
    await platform.client.deleteWebhookEndpoint({ endpointId: endpoint.id }, endpoint.call);
    for (const call of [endpoint.call, operator])
      await expect(
        platform.client.getWebhookEndpoint({ endpointId: endpoint.id }, call),
      ).rejects.toMatchObject({ reason: 'ENDPOINT_NOT_FOUND' });
    const page = { pageSize: 100, pageToken: '' };
    expect((await platform.client.listWebhookEndpoints(page, endpoint.call)).endpoints).toEqual([]);
    await deliveryIn(endpoint, DeliveryState.FAILED);
    const [row] = await platform.db
      .selectFrom('webhook_endpoints')
      .select(['secret', 'previous_secret'])
      .where('id', '=', endpoint.id)
      .execute();
    expect(row).toEqual({ secret: Buffer.alloc(0), previous_secret: null });
  });

  it('begins without its failures when its URL changes or it is enabled, and keeps them otherwise', async () => {
    const { id, call } = await newEndpoint();
    const failing = {
      failures: 9,
      failing_since: new Date(Date.now() - 60_000),
      paused_until: new Date(Date.now() + 60_000),
    };
    const health = () =>
      platform.db
        .selectFrom('webhook_endpoints')
        .select(['failures', 'failing_since', 'paused_until'])
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
    const fail = () =>
      platform.db.updateTable('webhook_endpoints').set(failing).where('id', '=', id).execute();
    const fresh = { failures: 0, failing_since: null, paused_until: null };
    for (const [change, expected] of [
      [{ description: 'other' }, failing],
      [{ url: `${receiver.url}new` }, fresh],
      [{ state: EndpointState.ENABLED }, fresh],
    ] as const) {
      await fail();
      await update(id, change, call);
      expect(await health(), JSON.stringify(change)).toEqual(expected);
    }
  });

  it('is one of fifty of its owner at most, without those that were deleted', async () => {
    const { call, id } = await newEndpoint();
    const request = { url: receiver.url, eventTypes: ['payment.failed'], description: '' };
    for (let count = 1; count < 50; count += 1) await platform.client.createWebhookEndpoint(request, call);
    await expect(platform.client.createWebhookEndpoint(request, call)).rejects.toMatchObject({
      reason: 'TOO_MANY_ENDPOINTS',
    });
    await platform.client.deleteWebhookEndpoint({ endpointId: id }, call);
    await platform.client.createWebhookEndpoint(request, call);
  });
});

describe('failed attempts', () => {
  it('in a row have the time of the first one, until an attempt succeeds', async () => {
    answer = 500;
    const endpoint = await newEndpoint();
    const health = () =>
      platform.db
        .selectFrom('webhook_endpoints')
        .select(['failures', 'failing_since'])
        .where('id', '=', endpoint.id)
        .executeTakeFirstOrThrow();
    const { id: deliveryId } = await newDelivery(endpoint, DeliveryState.PENDING);
    const first = await health();
    expect(first).toMatchObject({ failures: 1, failing_since: expect.any(Date) });
    await platform.client.redeliverWebhook({ deliveryId }, endpoint.call);
    await eventually(async () => expect(await health()).toEqual({ ...first, failures: 2 }));
    answer = 204;
    await platform.client.redeliverWebhook({ deliveryId }, endpoint.call);
    await eventually(async () => expect(await health()).toEqual({ failures: 0, failing_since: null }));
  });
});

describe('failed deliveries that are started again', () => {
  it('are those from a time on, and have all their attempts before them', async () => {
    answer = 500;
    const endpoint = await newEndpoint();
    const { createdAt } = await newDelivery(endpoint, DeliveryState.FAILED);
    const since = (shiftMs: number) =>
      platform.client.redeliverWebhooks(
        { endpointId: endpoint.id, createdAfter: new Date((createdAt?.getTime() ?? 0) + shiftMs) },
        endpoint.call,
      );
    expect(await since(1)).toEqual({ redeliveredCount: 0 });
    expect(await since(0)).toEqual({ redeliveredCount: 1 });
    const again = await eventually(async () => {
      const [delivery] = await listed({ endpointId: endpoint.id }, endpoint.call);
      expect(delivery?.attempts).toHaveLength(2);
      return delivery;
    });
    // The pause after a first attempt, and not the end after the last one.
    expect(again).toMatchObject({ state: DeliveryState.PENDING, nextAttemptAt: expect.any(Date) });
    expect(await since(0)).toEqual({ redeliveredCount: 0 });
  });
});

describe('the purge', () => {
  it('deletes old deliveries and endpoints that were deleted long ago, and keeps the others', async () => {
    const [kept, deleted] = [await newEndpoint(), await newEndpoint()];
    await newDelivery(kept);
    await platform.client.deleteWebhookEndpoint({ endpointId: deleted.id }, deleted.call);
    const purge = (laterMs: number) =>
      purgeEvents({
        db: platform.db,
        log: testLog,
        now: () => new Date(Date.now() + laterMs),
        retentionMs: 30_000,
      });
    const endpointIds = async () =>
      (
        await platform.db
          .selectFrom('webhook_endpoints')
          .select('id')
          .where('id', 'in', [kept.id, deleted.id])
          .orderBy('id')
          .execute()
      ).map(({ id }) => id);
    await purge(0);
    expect(await listed({ endpointId: kept.id }, kept.call)).toHaveLength(1);
    expect(await endpointIds()).toEqual([kept.id, deleted.id]);
    while (await purge(60_000));
    expect(await listed({ endpointId: kept.id }, kept.call)).toEqual([]);
    expect(await endpointIds()).toEqual([kept.id]);
  });
});
