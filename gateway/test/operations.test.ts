/** Dead letters of several services in one list, the registry's instances, and the search. */
import { status } from '@grpc/grpc-js';
import type { ListDeadLettersRequest } from '@payflowx/proto/dead-letters';
import type { ListPaymentsRequest } from '@payflowx/proto/payment';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import {
  captureOf,
  DEAD_LETTER_ID,
  deadLetter,
  lastProof,
  PAYMENT_ID,
  paymentOf,
  pipeline,
  refundOf,
  user,
} from './examples.ts';
import { type Platform, Refusal, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;
beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
afterAll(() => platform.close());

const OWNERS = ['paymentDeadLetters', 'notificationDeadLetters', 'authDeadLetters'] as const;
const letter = (n: number) => ({ ...deadLetter, id: `${DEAD_LETTER_ID.slice(0, -2)}${n}${n}` });

beforeEach(() => {
  for (const fake of Object.values(platform.fakes)) for (const name of Object.keys(fake)) delete fake[name];
  platform.fakes.auth.getJwks = () => ({ keys: platform.identity.jwks });
});

it.each([1, 2, 3, 5, 100])('joins the dead letters of the services in pages of %i', async (limit) => {
  const lists = { paymentDeadLetters: [1, 2, 3], notificationDeadLetters: [], authDeadLetters: [4, 5] };
  for (const owner of OWNERS) {
    platform.fakes[owner].listDeadLetters = ({ pageSize, pageToken }: ListDeadLettersRequest) => {
      const from = Number(pageToken || 0);
      const rest = lists[owner].slice(from);
      const nextPageToken = rest.length > pageSize ? String(from + pageSize) : '';
      return { deadLetters: rest.slice(0, pageSize).map(letter), nextPageToken };
    };
  }
  const seen: string[] = [];
  let cursor = '';
  do {
    const path = `/v1/dead-letters?limit=${limit}${cursor && `&cursor=${cursor}`}`;
    const { status: code, body } = await client.call('GET', path, { as: 'auditor' });
    expect(code).toBe(200);
    seen.push(...body.data.map(({ id }: { id: string }) => id));
    cursor = body.next_cursor ?? '';
  } while (cursor !== '');
  expect(seen).toEqual([1, 2, 3, 4, 5].map((n) => letter(n).id));
});

it('refuses a cursor of no service', async () => {
  const { status: code, body } = await client.call('GET', '/v1/dead-letters?cursor=elsewhere~x', {
    as: 'operator',
  });
  expect([code, body.code]).toEqual([400, 'INVALID_CURSOR']);
});

it('sends a dead letter back at the service that owns its source, and only there', async () => {
  const asked: string[] = [];
  for (const owner of OWNERS) {
    platform.fakes[owner].redriveDeadLetters = () => {
      asked.push(owner);
      return { redrivenCount: 1 };
    };
  }
  const redrive = (path: string, body?: object) =>
    client.call('POST', `/v1/dead-letters/${path}`, { as: 'operator', ...(body && { body }) });
  expect((await redrive(`${DEAD_LETTER_ID}/redrive`)).body).toEqual({ redriven: 1 });
  expect((await redrive('redrive', { source: 'auth-outbox' })).body).toEqual({ redriven: 1 });
  expect((await redrive('redrive')).body).toEqual({ redriven: 3 });
  expect(asked).toEqual(['notificationDeadLetters', 'authDeadLetters', ...OWNERS]);
  const unknown = await redrive('dl_000000ff-7a30-8c41-8d52-0f6b8a1c2e3d/redrive');
  expect([unknown.status, unknown.body.code]).toEqual([404, 'DEAD_LETTER_NOT_FOUND']);
});

describe('the pipeline', () => {
  const PIPELINES = [
    ...(['paymentPipeline', 'authPipeline', 'ledgerPipeline'] as const),
    ...(['notificationPipeline', 'analyticsPipeline'] as const),
  ];
  beforeEach(() => {
    for (const owner of PIPELINES) platform.fakes[owner].getPipeline = () => pipeline;
    platform.fakes.ledger.getLastProof = () => ({ proof: lastProof });
  });
  const read = async () => {
    const { status: code, body } = await client.call('GET', '/v1/pipeline', { as: 'auditor' });
    expect(code).toBe(200);
    return body;
  };

  it('joins the stages and the dead letters of the services, and has the last proof', async () => {
    const { stages, dead_letters, last_proof, incomplete } = await read();
    expect(stages).toHaveLength(2 * PIPELINES.length);
    expect(stages[0]).toEqual({
      ...{ service: 'payment', activity: 'consume', source: 'payment-events' },
      ...{ waiting: 3, oldest_age_ms: 1_500 },
    });
    expect(stages[1]).toMatchObject({ waiting: null, oldest_age_ms: null });
    expect(dead_letters[0]).toEqual({ source: 'payment-events', count: 2 });
    expect(dead_letters[1]).toEqual({ source: 'payment-notifications', count: null });
    expect(last_proof).toMatchObject({ verdict: 'unsettled', difference_count: 1 });
    expect(incomplete).toEqual([]);
  });

  it('has the rest if services do not answer, and names them', async () => {
    const away = () => {
      throw new Refusal('DATABASE_UNAVAILABLE', status.UNAVAILABLE);
    };
    platform.fakes.analyticsPipeline.getPipeline = away;
    platform.fakes.ledger.getLastProof = away;
    const { stages, last_proof, incomplete } = await read();
    expect(stages).toHaveLength(2 * (PIPELINES.length - 1));
    expect(last_proof).toBeNull();
    expect(incomplete.toSorted()).toEqual(['analytics', 'ledger']);
  });

  it('has no proof before the first one', async () => {
    platform.fakes.ledger.getLastProof = () => ({ proof: undefined });
    expect((await read()).last_proof).toBeNull();
  });

  it('fails for a fault of a service', async () => {
    platform.fakes.authPipeline.getPipeline = () => {
      throw new Refusal('INTERNAL', status.INTERNAL);
    };
    const { status: code } = await client.call('GET', '/v1/pipeline', { as: 'operator' });
    expect(code).toBe(500);
  });
});

it('says that there is no registry, and that it does not answer', async () => {
  platform.registry.instances = undefined;
  const { body } = await client.call('GET', '/v1/services', { as: 'auditor' });
  expect(body).toEqual({ registry: 'none', data: [] });
  platform.registry.isAway = true;
  const away = await client.call('GET', '/v1/services', { as: 'auditor' });
  expect([away.status, away.body.code]).toEqual([503, 'UNAVAILABLE']);
  platform.registry.isAway = false;
});

it('lists the instances of each service with their health, and the reason of those that do not pass', async () => {
  const instance = (service: string, n: number, health: 'passing' | 'critical', reason: string) => ({
    ...{ service, id: `${service}-${n}`, address: `127.0.0.1:${n}`, health, reason, tags: [] },
  });
  platform.registry.instances = [
    instance('ledger', 1, 'passing', ''),
    instance('payment', 2, 'passing', ''),
    instance('payment', 3, 'critical', 'timed out'),
  ];
  const { body } = await client.call('GET', '/v1/services', { as: 'operator' });
  const shown = (id: string, n: number, health: string, reason: string | null) => ({
    ...{ id, address: `127.0.0.1:${n}`, health, reason },
  });
  expect(body).toEqual({
    registry: 'consul',
    data: [
      { name: 'ledger', instances: [shown('ledger-1', 1, 'passing', null)] },
      {
        name: 'payment',
        instances: [shown('payment-2', 2, 'passing', null), shown('payment-3', 3, 'critical', 'timed out')],
      },
    ],
  });
});

it('searches several pages of payments, because a page may have few matches, but not without an end', async () => {
  const pages: string[] = [];
  let count = 3;
  platform.fakes.payment.listPayments = ({ reference, pageToken }: ListPaymentsRequest) => {
    if (reference === '') return { payments: [], nextPageToken: '' };
    pages.push(pageToken);
    const isLast = pages.length === count;
    return {
      payments: isLast ? [paymentOf({})] : [],
      nextPageToken: isLast ? '' : `page-${pages.length}`,
    };
  };
  platform.fakes.auth.listUsers = () => ({ users: [], nextPageToken: '' });
  const search = async () => (await client.call('GET', '/v1/search?q=order-7', { as: 'operator' })).body.data;
  expect(await search()).toMatchObject([{ id: PAYMENT_ID }]);
  expect(pages).toEqual(['', 'page-1', 'page-2']);
  pages.length = 0;
  count = 100;
  expect(await search()).toEqual([]);
  expect(pages).toHaveLength(5);
});

it('finds something once that several matches lead to', async () => {
  platform.fakes.payment.listPayments = () => ({ payments: [paymentOf({})], nextPageToken: '' });
  platform.fakes.auth.listUsers = () => ({ users: [], nextPageToken: '' });
  const { body } = await client.call('GET', '/v1/search?q=1250', { as: 'operator' });
  expect(body.data).toHaveLength(1);
});

it('finds payments by an amount with and without a currency, by reference, and users by name', async () => {
  const filters: Partial<ListPaymentsRequest>[] = [];
  platform.fakes.payment.listPayments = ({ reference, currency, amountMinMinor }: ListPaymentsRequest) => {
    filters.push({ reference, currency, ...(amountMinMinor !== undefined && { amountMinMinor }) });
    return { payments: reference === 'order-1' ? [paymentOf({})] : [], nextPageToken: '' };
  };
  platform.fakes.auth.listUsers = ({ username }: { username?: string }) => ({
    users: username === 'alice' ? [user] : [],
    nextPageToken: '',
  });
  const search = async (q: string, as: 'operator' | 'auditor' = 'operator') => {
    filters.length = 0;
    const { status: code, body } = await client.call('GET', `/v1/search?q=${encodeURIComponent(q)}`, { as });
    expect(code).toBe(200);
    return body.data;
  };
  const amounts = () => filters.filter(({ amountMinMinor }) => amountMinMinor !== undefined);

  await search('12.50 eur');
  expect(amounts()).toEqual([{ reference: '', currency: 'EUR', amountMinMinor: 1_250n }]);
  await search('1250 JPY');
  expect(amounts()).toEqual([{ reference: '', currency: 'JPY', amountMinMinor: 1_250n }]);
  await search('1250');
  expect(amounts().map(({ amountMinMinor }) => amountMinMinor)).toEqual([1_250n, 125_000n]);
  await search('12.505 EUR');
  expect(amounts()).toEqual([]);
  expect(await search('order-1')).toMatchObject([{ kind: 'payment', url: `/v1/payments/${PAYMENT_ID}` }]);
  expect(await search('alice')).toMatchObject([{ kind: 'user', title: user.username }]);

  // Auth decides that an auditor may not list users; the rest is found.
  platform.fakes.auth.listUsers = () => {
    throw new Refusal('ROLE_NOT_ALLOWED', status.PERMISSION_DENIED);
  };
  expect(await search('order-1', 'auditor')).toHaveLength(1);
});

/** A service finds its resource by this id only. */
function found(asked: string, id: string): true {
  if (asked === id) return true;
  throw new Refusal('PAYMENT_NOT_FOUND', status.NOT_FOUND);
}

it.each(['cap', 'ref'])('finds the payment of %s_…', async (prefix) => {
  const q = PAYMENT_ID.replace('pay', prefix);
  Object.assign(platform.fakes.payment, {
    getCapture: ({ captureId }: { captureId: string }) => ({
      capture: found(captureId, q) && captureOf({}),
    }),
    getRefund: ({ refundId }: { refundId: string }) => ({ refund: found(refundId, q) && refundOf({}) }),
    getPayment: ({ paymentId }: { paymentId: string }) => ({
      payment: found(paymentId, PAYMENT_ID) && paymentOf({}),
    }),
  });
  const { body } = await client.call('GET', `/v1/search?q=${q}`, { as: 'operator' });
  expect(body.data).toMatchObject([{ kind: 'payment', id: PAYMENT_ID }]);
});

it('searches for an id of no kind as a text, and for no white space', async () => {
  platform.fakes.payment.listPayments = () => ({ payments: [], nextPageToken: '' });
  platform.fakes.auth.listUsers = () => ({ users: [], nextPageToken: '' });
  const search = (q: string) => client.call('GET', `/v1/search?q=${q}`, { as: 'operator' });
  const unknown = await search(PAYMENT_ID.replace('pay', 'constructor'));
  expect([unknown.status, unknown.body]).toEqual([200, { data: [] }]);
  for (const blank of ['%20', '%20%09', '%C2%A0']) expect((await search(blank)).status).toBe(400);
});

it('finds nothing for an id that does not exist, and fails if a service does', async () => {
  platform.fakes.payment.getPayment = () => {
    throw new Refusal('PAYMENT_NOT_FOUND', status.NOT_FOUND);
  };
  const search = () => client.call('GET', `/v1/search?q=${PAYMENT_ID}`, { as: 'auditor' });
  expect((await search()).body).toEqual({ data: [] });
  platform.fakes.payment.getPayment = () => {
    throw new Refusal('DATABASE_UNAVAILABLE', status.UNAVAILABLE);
  };
  expect((await search()).status).toBe(503);
});
