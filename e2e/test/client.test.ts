import { createPayFlowX, PayFlowXError, verifyReceipt } from '@payflowx/client';
import { beforeAll, expect, it } from 'vitest';
import { eventually, openAccount, people, readDemo } from '../src/platform.ts';

/** The examples of the client's README, on the platform. */
const demo = readDemo();
const { operator, auditor, alice, bob } = people(demo);
const { username, password } = alice.user;
const payflowx = createPayFlowX({ gateway: demo.gateway, as: { username, password } });

let mine: string;
let theirs: string;

beforeAll(async () => {
  mine = (await openAccount(operator, alice.user, 10_000)).id;
  theirs = (await openAccount(operator, bob.user, 0)).id;
});

const body = () => ({ from_account: mine, to_account: theirs, amount: 1_250, currency: 'EUR' });

it('pays, and returns the first response again for the same key', async () => {
  const first = await payflowx.payments.create(body(), { key: `order-${mine}` });
  expect([first.response.status, first.data.state]).toEqual([201, 'COMPLETED']);
  const again = await payflowx.payments.create(body(), { key: `order-${mine}` });
  expect(again.data).toEqual(first.data);
  expect(again.response.headers.get('idempotent-replayed')).toBe('true');
});

it('reports why a payment was declined', async () => {
  const request = payflowx.payments.create({ ...body(), amount: 1_000_000 });
  const error = await request.catch((error: unknown) => error as PayFlowXError);
  expect(error).toBeInstanceOf(PayFlowXError);
  expect(error).toMatchObject({
    code: 'INSUFFICIENT_BALANCE',
    status: 402,
    problem: { payment: { state: 'FAILED' } },
  });
  expect((error as PayFlowXError).requestId).toMatch(/^req_/);
});

it('holds money, captures it in two parts, and verifies the receipt', async () => {
  const { data: held } = await payflowx.payments.create({ ...body(), amount: 3_000, capture: 'manual' });
  await payflowx.captures.create(held.id, { amount: 1_000 });
  const { data: done } = await payflowx.captures.create(held.id, { amount: 1_500, final: true });
  expect([done.state, done.amount_captured]).toEqual(['COMPLETED', 2_500]);
  // The journal records each step a moment after its response.
  const receipt = await eventually(async () => {
    const { data } = await payflowx.ledger.receipt(held.id);
    expect(data.transactions).toHaveLength(3);
    return data;
  });
  // A kept head: later receipts are requested for it.
  const { data: head } = await payflowx.ledger.head();
  expect(head.size).toBeGreaterThanOrEqual(receipt.head.size);
  const against = await payflowx.ledger.receipt(held.id, { query: { head_size: head.size } });
  expect(verifyReceipt(against.data, head).transactions.map(({ eventType }) => eventType)).toEqual([
    'payment.authorized',
    'payment.captured',
    'payment.completed',
  ]);
});

it('lists payments page after page', async () => {
  for (let made = 0; made < 5; made += 1) await payflowx.payments.create({ ...body(), amount: 1 });
  const query = { account_id: mine, state: 'COMPLETED', limit: 2, amount_max: 1 };
  const listing = payflowx.payments.list({ query });
  const ids = await Array.fromAsync(listing, ({ id }) => id);
  expect(ids.length).toBe(5);
  expect(new Set(ids).size).toBe(5);
  const { data: first } = await listing.page();
  const { data: second } = await listing.page(first.next_cursor);
  expect([...first.data, ...second.data].map(({ id }) => id)).toEqual(ids.slice(0, 4));
  // The same by method and path.
  expect(await Array.fromAsync(payflowx.list('/v1/payments', { params: { query } }), ({ id }) => id)).toEqual(
    ids,
  );
});

type Scope = 'accounts:read' | 'payments:read' | 'payments:write';

/** A machine that acts for Alice. */
async function machine(scopes: Scope[]) {
  const body = { name: 'Shop', user_id: alice.user.id, scopes };
  const { data } = await operator.api.post('/v1/api-clients', { body });
  const as = { clientId: data.client.id, clientSecret: data.client_secret ?? '' };
  return createPayFlowX({ gateway: demo.gateway, as });
}

it('works as an API client, within its scopes', async () => {
  const reader = await machine(['accounts:read']);
  expect((await reader.get('/v1/accounts/{id}', { params: { path: { id: mine } } })).data.id).toBe(mine);
  const error = await reader.post('/v1/payments', { body: body() }).catch((error: unknown) => error);
  expect(error).toMatchObject({ status: 403, code: 'INSUFFICIENT_SCOPE' });

  const shop = await machine(['payments:write', 'payments:read']);
  const { data: held } = await shop.post('/v1/payments', { body: { ...body(), capture: 'manual' } });
  const params = { path: { id: held.id } };
  await shop.post('/v1/payments/{id}/capture', { params, body: { amount: 1_000, final: true } });
  const { data: captured } = await shop.get('/v1/payments/{id}', { params });
  expect([captured.state, captured.amount_captured]).toEqual(['COMPLETED', 1_000]);

  // The payer and auditors see which client it was. The receiver does not.
  expect(captured.client_id).toMatch(/^cli_/);
  const clientSeenBy = async ({ api }: typeof alice) =>
    (await api.get('/v1/payments/{id}', { params })).data.client_id;
  expect(await Promise.all([alice, auditor, bob].map(clientSeenBy))).toEqual([
    captured.client_id,
    captured.client_id,
    null,
  ]);
});
