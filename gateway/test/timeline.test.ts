/** Merges the records of several services into one order, also if some do not answer. */
import { status as grpc } from '@grpc/grpc-js';
import { Direction, Layer } from '@payflowx/proto/ledger';
import { PaymentState } from '@payflowx/proto/payment';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import { AT, entry, notificationExample, PAYMENT_ID, paymentOf, REFUND_ID, stepOf } from './examples.ts';
import { type Platform, Refusal, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
afterAll(() => platform.close());

const at = (ms: number) => new Date(AT.getTime() + ms);
const decidedAt = (ms: number) => {
  const { decision } = paymentOf({});
  return decision && { ...decision, decidedAt: at(ms) };
};
const trace = (n: number) => `${n}`.repeat(32);
const uuid = (n: number) => `0198c5b2-7a30-7c41-9d52-${`${n}`.repeat(12)}`;

const STEPS = [
  stepOf({
    eventId: `evt_${uuid(1)}`,
    type: 'payment.initiated',
    state: PaymentState.INITIATED,
    movements: [],
    decision: undefined,
    traceId: trace(1),
  }),
  stepOf({ eventId: `evt_${uuid(2)}`, decision: decidedAt(0), traceId: trace(1) }),
  stepOf({
    eventId: `evt_${uuid(3)}`,
    type: 'payment.refunded',
    state: PaymentState.REFUNDED,
    // Hidden from this reader.
    decision: undefined,
    actorId: '',
    refundId: REFUND_ID,
    traceId: trace(2),
    occurredAt: at(50),
  }),
];
const entryOf = (n: number, side: 'credit' | 'debit', createdAt: Date) => ({
  ...entry,
  id: `txn_${uuid(n)}/0/${side}`,
  transactionId: `txn_${uuid(n)}`,
  direction: side === 'debit' ? Direction.DEBIT : Direction.CREDIT,
  layer: Layer.POSTED,
  createdAt,
});
// Newest first, as the ledger lists them.
const ENTRIES = [
  entryOf(3, 'credit', at(50)),
  entryOf(3, 'debit', at(50)),
  entryOf(2, 'debit', at(0)),
  entryOf(2, 'credit', at(0)),
];

function useExamples(): void {
  platform.fakes.payment.listPaymentSteps = () => ({ steps: STEPS });
  platform.fakes.ledger.listEntries = () => ({ entries: ENTRIES, nextPageToken: '' });
  platform.fakes.notification.listNotifications = () => ({
    notifications: [
      { ...notificationExample, eventType: 'payment.refunded', createdAt: at(50), eventId: `evt_${uuid(3)}` },
      { ...notificationExample, eventId: `evt_${uuid(2)}` },
    ],
    nextPageToken: '',
  });
}
const ask = () => client.call('GET', `/v1/payments/${PAYMENT_ID}/timeline`, { as: 'customer', id: 'usr_1' });
type Item = { source: string; type: string; trace_id: string | null };
const summary = ({ data }: { data: Item[] }) =>
  data.map(({ source, type, trace_id }) => `${source} ${type} ${trace_id?.[0]}`);

it('lists events in order: decided, taken, posted, notified', async () => {
  useExamples();
  const { status, body } = await ask();
  expect(status).toBe(200);
  expect(summary(body)).toEqual([
    'payment payment.initiated 1',
    'authorization decision.approved 1',
    'payment payment.completed 1',
    'ledger payment.completed 1',
    'notification payment.completed 1',
    'payment payment.refunded 2',
    'ledger payment.refunded 2',
    'notification payment.refunded 2',
  ]);
  expect(body.incomplete).toEqual([]);
  const refund = body.data.slice(5);
  expect(refund.map((item: { refund_id?: string }) => item.refund_id)).toEqual(Array(3).fill(REFUND_ID));
  expect(refund[0]).not.toHaveProperty('actor_id');
  expect(body.data[3].entries.map(({ direction }: { direction: string }) => direction)).toEqual([
    'credit',
    'debit',
  ]);
});

it('matches notifications by event, also if two steps of one type happen in one millisecond', async () => {
  useExamples();
  const refund = STEPS.find(({ type }) => type === 'payment.refunded') as (typeof STEPS)[number];
  const other = { ...refund, eventId: `evt_${uuid(4)}`, traceId: trace(4) };
  platform.fakes.payment.listPaymentSteps = () => ({ steps: [...STEPS, other] });
  const told = { ...notificationExample, eventType: 'payment.refunded', createdAt: at(50) };
  platform.fakes.notification.listNotifications = () => ({
    notifications: [4, 3].map((n) => ({ ...told, id: `ntf_${n}`, eventId: `evt_${uuid(n)}` })),
    nextPageToken: '',
  });
  const { body } = await ask();
  const told3and4 = body.data.filter(({ source }: Item) => source === 'notification');
  expect(told3and4.map(({ trace_id }: Item) => trace_id)).toEqual([trace(2), trace(4)]);
});

it('reads every part with the caller’s own token, page by page', async () => {
  useExamples();
  const calls: unknown[] = [];
  platform.fakes.ledger.listEntries = async (request, { accessToken }) => {
    calls.push([
      request.paymentId,
      request.pageToken,
      await platform.identity.verifier.verify(accessToken ?? ''),
    ]);
    return request.pageToken === ''
      ? { entries: ENTRIES.slice(0, 2), nextPageToken: 'more' }
      : { entries: ENTRIES.slice(2), nextPageToken: '' };
  };
  const { body } = await ask();
  expect(summary(body)).toHaveLength(8);
  const caller = { id: 'usr_1', roles: ['customer'] };
  expect(calls).toMatchObject([
    [PAYMENT_ID, '', caller],
    [PAYMENT_ID, 'more', caller],
  ]);
});

it.each([
  ['is unavailable', grpc.UNAVAILABLE, 'DATABASE_UNAVAILABLE'],
  ['does not answer', grpc.DEADLINE_EXCEEDED, 'DEADLINE_EXCEEDED'],
  ['is overloaded', grpc.RESOURCE_EXHAUSTED, 'OVERLOADED'],
])('leaves out a part that %s, and marks it as incomplete', async (_name, code, reason) => {
  useExamples();
  platform.fakes.ledger.listEntries = () => {
    throw new Refusal(reason, code);
  };
  const { status, body } = await ask();
  expect([status, body.incomplete]).toEqual([200, ['ledger']]);
  expect(body.data.map(({ source }: Item) => source)).not.toContain('ledger');
  expect(body.data).toHaveLength(6);
});

it('does not ask for parts outside the scopes of an API client: each refusal would be a security event', async () => {
  useExamples();
  platform.fakes.notification.listNotifications = () => {
    throw new Error('called');
  };
  const machine = {
    id: 'usr_1',
    roles: ['customer'],
    clientId: 'cli_1',
    scopes: ['payments:read', 'ledger:read', 'accounts:read'],
  } as const;
  platform.logged.length = 0;
  const token = await platform.identity.tokenFor(machine);
  const { status, body } = await client.call('GET', `/v1/payments/${PAYMENT_ID}/timeline`, { token });
  expect([status, body.incomplete]).toEqual([200, ['notification']]);
  expect(body.data.map(({ source }: Item) => source)).toContain('ledger');
  expect(platform.logged).toEqual([]);
});

it('fails for any other error, and hides a payment of another user', async () => {
  useExamples();
  platform.fakes.notification.listNotifications = () => {
    throw new Refusal('INTERNAL', grpc.INTERNAL);
  };
  expect((await ask()).status).toBe(500);
  platform.fakes.payment.listPaymentSteps = () => {
    throw new Refusal('PAYMENT_NOT_FOUND', grpc.NOT_FOUND);
  };
  const { status, body } = await ask();
  expect([status, body.code]).toEqual([404, 'PAYMENT_NOT_FOUND']);
});
