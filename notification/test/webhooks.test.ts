import type { ServerResponse } from 'node:http';
import { newId } from '@payflowx/chassis';
import { eventually, PATIENCE_MS } from '@payflowx/chassis/testing';
import { WebhookDeliveryState as State } from '@payflowx/proto/notification';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RETRY_DELAYS_MS } from '../src/domain/retry-schedule.ts';
import { completed, startNotification, type TestNotification } from './notification.ts';
import { type Received, type Receiver, startReceiver } from './receiver.ts';

/** For receivers that do not answer. */
const SHORT_MS = 1_500;
/** An answer after this long makes an endpoint slow. */
const SLOW_MS = 3_300;
let platform: TestNotification;
let impatient: TestNotification;
const receivers: Receiver[] = [];

beforeAll(async () => {
  platform = await startNotification({ timeoutMs: PATIENCE_MS });
  impatient = await startNotification({ timeoutMs: SHORT_MS });
});
afterAll(async () => {
  await Promise.all([platform.stop(), impatient.stop()]);
  for (const receiver of receivers) await receiver.close();
});

async function receiverThat(answer?: Parameters<typeof startReceiver>[0]): Promise<Receiver> {
  const receiver = await startReceiver(answer);
  receivers.push(receiver);
  return receiver;
}

/** A user with one endpoint, and what it takes to look at its deliveries. */
async function userWith(receiver: Receiver, eventTypes = ['*'], path = '', on = platform) {
  const owner = newId('usr');
  const caller = await on.as(owner);
  const made = await on.client.createWebhookEndpoint(
    { url: receiver.url + path, eventTypes, description: '' },
    caller,
  );
  const endpointId = made.endpoint?.id ?? '';
  const deliveries = async () => {
    const all = { pageSize: 100, pageToken: '', endpointId, eventId: '', state: State.UNSPECIFIED };
    return (await on.client.listWebhookDeliveries(all, caller)).deliveries;
  };
  const first = async (...states: State[]) =>
    eventually(async () => {
      const [delivery] = await deliveries();
      expect(states).toContain(delivery?.state);
      expect(delivery?.attempts.length).toBeGreaterThan(0);
      return delivery as NonNullable<typeof delivery>;
    });
  return { owner, caller, endpointId, secret: made.secret, deliveries, first };
}

/** Many users, each with an endpoint. A few at a time, so that a busy machine does not keep one of them waiting for too long. */
async function usersWith(count: number, receiver: Receiver, on: TestNotification) {
  const users: Awaited<ReturnType<typeof userWith>>[] = [];
  while (users.length < count) {
    const made = Array.from({ length: 20 }, () => userWith(receiver, ['*'], '', on));
    users.push(...(await Promise.all(made)));
  }
  return users;
}

const verify = (secret: string, { body, headers }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as {
    id: string;
    data: { payment: Record<string, unknown> };
  };

/** Makes the next attempt of all pending deliveries due now, as if the time had passed. */
async function passTime(endpointId: string): Promise<void> {
  await platform.db
    .updateTable('webhook_deliveries')
    .set({ next_attempt_at: new Date(Date.now() - 2_000) })
    .where('endpoint_id', '=', endpointId)
    .where('state', '=', 'pending')
    .execute();
  await platform.db
    .updateTable('webhook_endpoints')
    .set({ paused_until: null })
    .where('id', '=', endpointId)
    .execute();
}

it('delivers an event to both sides once, signed, each with its own view', async () => {
  const receiver = await receiverThat();
  const [payer, payee] = [
    await userWith(receiver, ['*'], '/payer'),
    await userWith(receiver, ['payment.completed'], '/payee'),
  ];
  const other = await userWith(receiver, ['payment.failed'], '/other');
  const event = completed(payer.owner, payee.owner);
  await platform.record(event, event);
  await eventually(() => expect(receiver.received).toHaveLength(2));
  const at = (path: string) => receiver.received.find((each) => each.path.endsWith(path)) as Received;
  const [sent, got] = [verify(payer.secret, at('/payer')), verify(payee.secret, at('/payee'))];
  expect(at('/payer').headers).toMatchObject({ 'webhook-id': event.id, 'content-type': 'application/json' });
  expect(sent).toMatchObject({
    id: event.id,
    type: 'payment.completed',
    data: {
      payment: { amount: 1_250, state: 'COMPLETED', reference: 'order-4711', metadata: { order: '4711' } },
    },
  });
  expect(got.data.payment).toMatchObject({
    id: event.payment?.id,
    reference: null,
    metadata: {},
    decision: null,
  });
  expect(() => verify(payee.secret, at('/payer'))).toThrow();
  expect(await payer.first(State.DELIVERED)).toMatchObject({
    eventId: event.id,
    attempts: [{ status: 200, response: 'ok', error: '' }],
  });
  expect(await other.deliveries()).toEqual([]);
});

it('retries with the same id by the schedule until the last attempt, then has failed, and is started again on request', async () => {
  let isUp = false;
  const receiver = await receiverThat((response) => response.writeHead(isUp ? 204 : 500).end('no'));
  const user = await userWith(receiver);
  const event = completed(user.owner, newId('usr'));
  await platform.record(event);
  for (let tries = 1; tries <= RETRY_DELAYS_MS.length; tries += 1) {
    const delivery = await eventually(async () => {
      const [found] = await user.deliveries();
      expect(found?.attempts).toHaveLength(tries);
      return found as NonNullable<typeof found>;
    });
    const last = delivery.attempts.at(-1)?.at?.getTime() ?? 0;
    const delayMs = RETRY_DELAYS_MS[tries - 1] ?? 0;
    const waitMs = (delivery.nextAttemptAt?.getTime() ?? 0) - last;
    expect(delivery.state).toBe(State.PENDING);
    expect(waitMs).toBeGreaterThanOrEqual(delayMs);
    expect(waitMs).toBeLessThan(delayMs * 1.1 + PATIENCE_MS);
    await passTime(user.endpointId);
  }
  const failed = await user.first(State.FAILED);
  expect(failed).toMatchObject({ nextAttemptAt: undefined });
  expect(failed.attempts).toHaveLength(RETRY_DELAYS_MS.length + 1);
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([event.id]));

  isUp = true;
  await passTime(user.endpointId);
  const since = { endpointId: user.endpointId, createdAfter: new Date(0) };
  expect(await platform.client.redeliverWebhooks(since, user.caller)).toEqual({ redeliveredCount: 1 });
  expect((await user.first(State.DELIVERED)).attempts.at(-1)).toMatchObject({ status: 204, error: '' });
  const count = receiver.received.length;
  await platform.client.redeliverWebhook({ deliveryId: failed.id }, user.caller);
  await eventually(() => expect(receiver.received).toHaveLength(count + 1));
});

/** Receivers that misbehave, and the result of the first attempt. */
it.each<
  [string, (response: ServerResponse) => unknown, { status: number; error: string; response?: unknown }]
>([
  ['never answers', () => {}, { status: 0, error: 'no response within 1.5 s' }],
  [
    'resets the connection',
    (response) => response.socket?.resetAndDestroy(),
    { status: 0, error: 'the connection was reset' },
  ],
  [
    'redirects',
    (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
    { status: 307, error: 'status 307: redirects are not followed' },
  ],
  [
    'sends its headers byte by byte',
    (response) => drip(response, 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', 400),
    { status: 0, error: 'no response within 1.5 s' },
  ],
  [
    'lies about the length of its body',
    (response) => {
      response.writeHead(500, { 'content-length': 1_000 });
      response.write('short');
      setTimeout(() => response.socket?.destroy(), 50);
    },
    { status: 500, error: 'status 500', response: 'short' },
  ],
  [
    'never ends its body',
    (response) => {
      response.writeHead(500);
      const writing = setInterval(() => response.write('x'.repeat(700)), 1);
      response.on('close', () => clearInterval(writing));
    },
    { status: 500, error: 'status 500', response: 'x'.repeat(1_024) },
  ],
  [
    'sends headers that are too large',
    (response) => response.writeHead(200, { 'x-large': 'x'.repeat(20_000) }).end(),
    { status: 0, error: 'the headers of the response are too large' },
  ],
])('an attempt fails in time if the receiver %s', async (_, answer, expected) => {
  const user = await userWith(await receiverThat(answer), ['*'], '', impatient);
  await impatient.record(completed(user.owner, newId('usr')));
  const { attempts } = await user.first(State.PENDING);
  expect(attempts[0]).toMatchObject(expected);
});

function drip(response: ServerResponse, text: string, everyMs: number): void {
  const { socket } = response;
  for (const [index, character] of [...text].entries())
    setTimeout(() => socket?.writable && socket.write(character), index * everyMs).unref();
}

it('is delivered by a 2xx, also if its body never ends', async () => {
  const user = await userWith(
    await receiverThat((response) => response.writeHead(200).write('x'.repeat(5_000))),
  );
  await platform.record(completed(user.owner, newId('usr')));
  expect((await user.first(State.DELIVERED)).attempts[0]?.response).toHaveLength(1_024);
});

it('fails by a receiver that wants to speak another protocol, and goes on', async () => {
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';
  const receiver = await receiverThat((response, count) =>
    count === 1 ? response.socket?.write(switching) : response.end('ok'),
  );
  const { owner, endpointId, first } = await userWith(receiver);
  await platform.record(completed(owner, newId('usr')));
  const failed = await first(State.PENDING);
  expect(failed.attempts).toMatchObject([{ status: 101, error: 'status 101', response: '' }]);
  await passTime(endpointId);
  expect((await first(State.DELIVERED)).attempts).toHaveLength(2);
});

it('waits as long as Retry-After asks, but not longer than a day', async () => {
  const receiver = await receiverThat((response, count) =>
    response.writeHead(503, { 'retry-after': count === 1 ? '600' : '99999999' }).end(),
  );
  const user = await userWith(receiver);
  await platform.record(completed(user.owner, newId('usr')));
  const waitOf = async (count: number) => {
    const delivery = await eventually(async () => {
      const [found] = await user.deliveries();
      expect(found?.attempts).toHaveLength(count);
      return found;
    });
    return (
      ((delivery?.nextAttemptAt?.getTime() ?? 0) - (delivery?.attempts.at(-1)?.at?.getTime() ?? 0)) / 1_000
    );
  };
  expect(await waitOf(1)).toBeGreaterThanOrEqual(600);
  await passTime(user.endpointId);
  const day = 24 * 3_600;
  expect(await waitOf(2)).toBeGreaterThanOrEqual(day);
  expect(await waitOf(2)).toBeLessThan(day + PATIENCE_MS);
});

it('disables an endpoint that is gone, or that fails for five days, and tells its owner', async () => {
  const told = await receiverThat();
  const answers = [410, 500];
  for (const [index, status] of answers.entries()) {
    const receiver = await receiverThat((response) => response.writeHead(status).end());
    const user = await userWith(receiver);
    const watcher = {
      url: `${told.url}/${index}`,
      eventTypes: ['webhook_endpoint.disabled'],
      description: '',
    };
    await platform.client.createWebhookEndpoint(watcher, user.caller);
    if (status === 500)
      await platform.db
        .updateTable('webhook_endpoints')
        .set({ failing_since: new Date(Date.now() - 5 * 24 * 3_600_000), failures: 1 })
        .where('id', '=', user.endpointId)
        .execute();
    await platform.record(completed(user.owner, newId('usr')));
    await eventually(() => expect(told.received).toHaveLength(index + 1));
    expect(JSON.parse(told.received[index]?.body ?? '')).toMatchObject({
      type: 'webhook_endpoint.disabled',
      data: {
        webhook_endpoint: {
          id: user.endpointId,
          state: 'disabled',
          disabled_reason: status === 410 ? 'gone' : 'failing',
        },
      },
    });
    // Nothing more is sent to it, and what waits for it fails.
    await user.first(State.FAILED);
    await platform.record(completed(user.owner, newId('usr')));
    expect(await user.deliveries()).toHaveLength(1);
    expect(receiver.received).toHaveLength(1);
    const test = platform.client.testWebhookEndpoint({ endpointId: user.endpointId }, user.caller);
    await expect(test).rejects.toMatchObject({ reason: 'ENDPOINT_DISABLED' });
  }
});

it('signs with both secrets after a rotation, and a test delivery reaches one endpoint only', async () => {
  const receiver = await receiverThat();
  const user = await userWith(receiver);
  await platform.client.createWebhookEndpoint(
    { url: `${receiver.url}/second`, eventTypes: ['*'], description: '' },
    user.caller,
  );
  const { secret } = await platform.client.rotateWebhookSecret({ endpointId: user.endpointId }, user.caller);
  expect(secret).not.toBe(user.secret);
  await platform.client.testWebhookEndpoint({ endpointId: user.endpointId }, user.caller);
  await user.first(State.DELIVERED);
  expect(receiver.received).toHaveLength(1);
  const [received] = receiver.received as [Received];
  for (const each of [user.secret, secret])
    expect(verify(each, received)).toMatchObject({ type: 'webhook_endpoint.test' });

  await platform.db
    .updateTable('webhook_endpoints')
    .set({ previous_secret_until: new Date() })
    .where('id', '=', user.endpointId)
    .execute();
  await platform.client.testWebhookEndpoint({ endpointId: user.endpointId }, user.caller);
  await eventually(() => expect(receiver.received).toHaveLength(2));
  expect(() => verify(user.secret, receiver.received[1] as Received)).toThrow();
  verify(secret, receiver.received[1] as Received);
});

it('an endpoint that hangs holds up no other, and gets at most four requests at a time', async () => {
  let open = 0;
  let most = 0;
  const hanging = await receiverThat((response) => {
    open += 1;
    most = Math.max(most, open);
    response.on('close', () => {
      open -= 1;
    });
  });
  const healthy = await receiverThat();
  const [slow, fast] = [await userWith(hanging), await userWith(healthy)];
  await platform.record(...Array.from({ length: 30 }, () => completed(slow.owner, newId('usr'))));
  await eventually(() => expect(open).toBe(4));
  await platform.record(...Array.from({ length: 30 }, () => completed(fast.owner, newId('usr'))));
  await eventually(() => expect(healthy.received).toHaveLength(30));
  expect(new Set(healthy.received.map(({ headers }) => headers['webhook-id'])).size).toBe(30);
  expect(most).toBe(4);
});

it('endpoints that fail have at most half of the places, also if more of them are due at once', async () => {
  let open = 0;
  let most = 0;
  const hanging = await receiverThat((response) => {
    open += 1;
    most = Math.max(most, open);
    response.on('close', () => {
      open -= 1;
    });
  });
  const users = await usersWith(160, hanging, impatient);
  const ids = users.map(({ endpointId }) => endpointId);
  await impatient.db.updateTable('webhook_endpoints').set({ failures: 1 }).where('id', 'in', ids).execute();
  await impatient.record(...users.map(({ owner }) => completed(owner, newId('usr'))));
  await eventually(() => expect(hanging.received.length).toBeGreaterThanOrEqual(160));
  expect(most).toBeLessThanOrEqual(100);
});

it('endpoints that answer 200 slowly have at most half of the places, once they are known to be slow', async () => {
  const patient = await startNotification({ timeoutMs: PATIENCE_MS });
  const open = new Set<ServerResponse>();
  let most = 0;
  const slow = await receiverThat((response) => {
    open.add(response);
    most = Math.max(most, open.size);
    const answer = () => {
      open.delete(response);
      response.end('ok');
    };
    setTimeout(answer, SLOW_MS);
  });
  const users = await usersWith(160, slow, patient);
  const send = () => patient.record(...users.map(({ owner }) => completed(owner, newId('usr'))));
  await send();
  await eventually(async () => {
    const stored = patient.db.selectFrom('webhook_deliveries').select('state').distinct();
    expect(await stored.execute()).toEqual([{ state: 'delivered' }]);
  });
  expect(most).toBe(160);
  most = 0;
  await send();
  const healthy = await receiverThat();
  const other = await userWith(healthy, ['*'], '', patient);
  await eventually(() => expect(open.size).toBe(100));
  await patient.record(completed(other.owner, newId('usr')));
  // It has a place at once, although sixty slow ones wait.
  await eventually(() => expect(healthy.received).toHaveLength(1));
  expect(open.size).toBe(100);
  await eventually(() => expect(slow.received).toHaveLength(320));
  expect(most).toBe(100);
  await patient.stop();
});

it('two instances share the endpoints, and deliver every event', async () => {
  await platform.startInstance();
  const receiver = await receiverThat();
  const users = await Promise.all(Array.from({ length: 20 }, () => userWith(receiver)));
  const events = users.flatMap(({ owner }) =>
    Array.from({ length: 5 }, () => completed(owner, newId('usr'))),
  );
  await Promise.all(events.map((event) => platform.record(event)));
  await eventually(async () =>
    expect(
      (await Promise.all(users.map(({ deliveries }) => deliveries())))
        .flat()
        .every(({ state }) => state === State.DELIVERED),
    ).toBe(true),
  );
  // At least once: a busy machine may take an instance for dead.
  const arrived = new Set(receiver.received.map(({ headers }) => headers['webhook-id']));
  expect([...arrived].sort()).toEqual(events.map(({ id }) => id).sort());
});

it('counts the first attempts as failed if the sandbox is asked for it, and sends the event again', async () => {
  const sandbox = await startNotification({ timeoutMs: PATIENCE_MS, sandbox: true });
  const receiver = await receiverThat();
  const { owner, endpointId, deliveries, first } = await userWith(receiver, ['*'], '', sandbox);
  const event = completed(owner, newId('usr'));
  if (event.payment) event.payment.reference = 'sandbox:webhook:fail:2';
  await sandbox.record(event, completed(owner, newId('usr')));

  const dueNow = () =>
    sandbox.db
      .updateTable('webhook_deliveries')
      .set({ next_attempt_at: new Date() })
      .where('event_id', '=', event.id)
      .where('state', '=', 'pending')
      .execute();
  const ofEvent = async () => (await deliveries()).find(({ eventId }) => eventId === event.id);
  const afterAttempts = (count: number) =>
    eventually(async () => {
      const delivery = await ofEvent();
      expect(delivery?.attempts).toHaveLength(count);
      return delivery as NonNullable<typeof delivery>;
    });

  const failed = await afterAttempts(1);
  expect(failed.state).toBe(State.PENDING);
  expect(failed.attempts[0]).toMatchObject({
    error: 'the sandbox counts this attempt as failed: 1 of 2',
  });
  // The pause is that after a first failure, also after the second one.
  const pauseOf = ({ nextAttemptAt, attempts }: typeof failed) =>
    (nextAttemptAt?.getTime() ?? 0) - (attempts.at(-1)?.at?.getTime() ?? 0);
  const longest = (RETRY_DELAYS_MS[0] ?? 0) * 1.1 + PATIENCE_MS;
  expect(pauseOf(failed)).toBeLessThan(longest);
  await dueNow();
  const twice = await afterAttempts(2);
  expect(twice.attempts.some(({ error }) => error.endsWith('2 of 2'))).toBe(true);
  // The endpoint itself works. Otherwise the payments of one user could pause the endpoints of others.
  const endpoints = sandbox.db.selectFrom('webhook_endpoints').select(['failures', 'paused_until']);
  expect(await endpoints.where('id', '=', endpointId).execute()).toEqual([
    { failures: 0, paused_until: null },
  ]);
  await dueNow();
  const delivered = await afterAttempts(3);
  expect(delivered.state).toBe(State.DELIVERED);
  const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
  expect(ids.filter((id) => id === event.id)).toHaveLength(3);

  // The other payment's event arrived at once, and a redelivery of this one does not fail again.
  expect((await first(State.DELIVERED)).attempts.length).toBeGreaterThan(0);
  await sandbox.stop();
});

it('without the sandbox, the magic reference is an ordinary text', async () => {
  const receiver = await receiverThat();
  const { owner, first } = await userWith(receiver);
  const event = completed(owner, newId('usr'));
  if (event.payment) event.payment.reference = 'sandbox:webhook:fail:2';
  await platform.record(event);
  expect((await first(State.DELIVERED)).attempts).toHaveLength(1);
});
