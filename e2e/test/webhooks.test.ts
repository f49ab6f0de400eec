import { spawnSync } from 'node:child_process';
import type { WebhookEvent } from '@payflowx/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Account, eventually, openAccount, people, readDemo } from '../src/platform.ts';
import { pythonWith } from '../src/python.ts';
import { receiveWebhooks, type Sent } from '../src/webhook-receiver.ts';

const demo = readDemo();
const { operator, alice, bob } = people(demo);
type Session = typeof alice;

let from: Account;
let to: Account;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  [from, to] = await Promise.all([
    openAccount(operator, alice.user, 10_000),
    openAccount(operator, bob.user, 0),
  ]);
});
afterAll(async () => {
  for (const close of closing) await close();
});

/** The last webhook that arrived, as it was sent. */
let last: Sent;

async function receiverOf(session: Session): Promise<WebhookEvent[]> {
  const receiver = await receiveWebhooks(session, (sent) => {
    last = sent;
  });
  closing.push(() => receiver.close());
  return receiver.received;
}

it('each reader gets the payment and the refund in events and webhooks exactly as REST shows them to that reader', async () => {
  const readers = { alice, bob, operator };
  const received = Object.fromEntries(
    await Promise.all(
      Object.entries(readers).map(async ([name, who]) => [name, await receiverOf(who)] as const),
    ),
  );
  const body = {
    from_account: from.id,
    to_account: to.id,
    amount: 500,
    currency: 'EUR',
    reference: 'order-1',
    metadata: { a: 'b' },
  };
  const { data: paid } = await alice.api.post('/v1/payments', { body });
  const path = { id: paid.id };
  /** The payment by REST, before the next step changes it. */
  const shown = Object.fromEntries(
    await Promise.all(
      Object.entries(readers).map(
        async ([name, { api }]) =>
          [name, (await api.get('/v1/payments/{id}', { params: { path } })).data] as const,
      ),
    ),
  );
  const { data: refund } = await bob.api.post('/v1/payments/{id}/refunds', {
    params: { path },
    body: { amount: 200 },
  });
  for (const [name, { api }] of Object.entries(readers)) {
    const after = (await api.get('/v1/payments/{id}', { params: { path } })).data;
    const events = await eventually(async () => {
      const { data } = await api.get('/v1/events', { params: { query: { payment_id: paid.id } } });
      expect(data.data.map(({ type }) => type)).toEqual(['payment.refunded', 'payment.completed']);
      return data.data;
    });
    const [refunded, completed] = events;
    expect(completed?.data, name).toEqual({ payment: shown[name] });
    expect(refunded?.data, name).toEqual({ payment: after, refund });
    for (const event of events) {
      const one = await api.get('/v1/events/{id}', { params: { path: { id: event.id } } });
      expect(one.data).toEqual(event);
      await eventually(async () =>
        expect(
          received[name]?.find(({ id }) => id === event.id),
          name,
        ).toEqual(event),
      );
    }
  }
});

const VERIFY = `
import json, sys
from standardwebhooks.webhooks import Webhook
sent = json.load(sys.stdin)
print(json.dumps(Webhook(sent["secret"]).verify(sent["body"], sent["headers"])))
`;

it('another implementation of Standard Webhooks verifies a webhook: that of Python', async () => {
  const received = await receiverOf(bob);
  const body = {
    from_account: from.id,
    to_account: to.id,
    amount: 10,
    currency: 'EUR',
    description: 'Grüße 💶',
  };
  await alice.api.post('/v1/payments', { body });
  await eventually(async () => expect(received).toHaveLength(1));
  const python = await pythonWith('standardwebhooks-1.1.0', ['standardwebhooks==1.1.0']);
  const verify = (sent: object) =>
    spawnSync(python, ['-c', VERIFY], { input: JSON.stringify(sent), encoding: 'utf8' });
  expect(JSON.parse(verify(last).stdout)).toEqual(received[0]);
  expect(verify({ ...last, body: `${last.body} ` }).stderr).toContain('WebhookVerificationError');
});

it('a stream resumes on the other gateway after its last event, without a gap or a duplicate', async () => {
  const gateways = [demo.gateway, process.env.TEST_SECOND_GATEWAY_URL ?? demo.gateway];
  const seen: string[] = [];
  const over = new AbortController();
  const following = (async () => {
    for (let turn = 0; !over.signal.aborted; turn += 1) {
      const part = await read(gateways[turn % gateways.length] as string, seen.at(-1), 3, over.signal);
      seen.push(...part);
    }
  })();
  const body = { from_account: from.id, to_account: to.id, amount: 10, currency: 'EUR' };
  // The first stream begins with the next event, so wait until one has arrived.
  const made: string[] = [];
  await eventually(async () => {
    made.push((await alice.api.post('/v1/payments', { body })).data.id);
    expect(seen.length).toBeGreaterThan(0);
  });
  for (let count = 0; count < 20; count += 1)
    made.push((await alice.api.post('/v1/payments', { body })).data.id);
  const expected = await eventually(async () => {
    const query = { account_id: from.id, type: 'payment.completed', limit: 100 };
    const { data } = await alice.api.get('/v1/events', { params: { query } });
    const ids = data.data.filter((event) => made.includes(event.data.payment?.id ?? '')).map(({ id }) => id);
    expect(ids).toHaveLength(made.length);
    return ids;
  });
  const fromFirst = expected.filter((id) => id >= (seen[0] as string));
  await eventually(async () => expect(seen.toSorted()).toEqual(fromFirst.toSorted()));
  over.abort();
  await following;
  expect(new Set(seen).size).toBe(seen.length);
});

/** Reads about `count` events of a stream, and disconnects. Ends early at `over`. */
async function read(
  gateway: string,
  lastEventId: string | undefined,
  count: number,
  over: AbortSignal,
): Promise<string[]> {
  const closing = new AbortController();
  const headers = {
    authorization: `Bearer ${await alice.api.accessToken()}`,
    ...(lastEventId && { 'last-event-id': lastEventId }),
  };
  const url = new URL('/v1/events/stream?type=payment.completed', gateway);
  let text = '';
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.any([closing.signal, over]) });
    expect(response.status).toBe(200);
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if ((text.match(/\n\n/g)?.length ?? 0) > count) break;
    }
  } catch (error) {
    if (!over.aborted) throw error;
  }
  closing.abort();
  const whole = text.slice(0, text.lastIndexOf('\n\n') + 2);
  return [...whole.matchAll(/^id: (.*)$/gm)].map(([, id]) => id as string);
}
