import { beforeAll, describe, expect, it } from 'vitest';
import { type Account, eventually, openAccount, type Payment, people } from '../src/platform.ts';
import { type Rpc, reflectedRpcs } from '../src/rpc.ts';

/** Times with more digits than the platform keeps, or with fewer than they need: against what was stored at a known millisecond. */
const { operator, alice } = people();

let from: Account;
let payment: Payment;
/** The millisecond of the payment without its Z: 2026-11-27T18:00:00.123 */
let madeAt: string;
let token: string;
let rpcs: Map<string, Rpc>;

beforeAll(async () => {
  rpcs = await reflectedRpcs();
  token = await alice.api.accessToken();
  from = await openAccount(operator, alice.user, 500);
  const to = await openAccount(operator, alice.user, 0);
  const body = { from_account: from.id, to_account: to.id, amount: 100, currency: 'EUR' };
  payment = (await alice.api.post('/v1/payments', { body })).data;
  madeAt = payment.created_at.slice(0, -1);
  await eventually(async () => {
    const { body } = await alice.get(`/v1/ledger/entries?payment_id=${payment.id}`);
    return body.data.length > 0 ? true : undefined;
  });
});

/** The same moment on a clock that is an hour ahead. */
const anHourAhead = () =>
  new Date(Date.parse(payment.created_at) + 3_600_000).toISOString().replace('Z', '+01:00');

describe('over REST, a payment is', () => {
  const find = async (filter: string, value: string) => {
    const query = `account_id=${from.id}&${filter}=${encodeURIComponent(value)}`;
    const { status, body } = await alice.get(`/v1/payments?${query}`);
    const isFound = body.data?.some(({ id }: Payment) => id === payment.id);
    return status === 200 ? isFound : status;
  };

  it.each([
    ['created_after', () => `${madeAt}Z`, true],
    ['created_after', () => `${madeAt}001Z`, false],
    ['created_after', () => `${madeAt}000001Z`, false],
    ['created_after', () => `${madeAt}000000Z`, true],
    ['created_after', anHourAhead, true],
    ['created_before', () => `${madeAt}Z`, false],
    ['created_before', () => `${madeAt}001Z`, true],
    ['created_after', () => anHourAhead().replace('+01:00', '+0100'), 400],
    ['created_after', () => madeAt, 400],
    ['created_after', () => madeAt.slice(0, 10), 400],
    ['created_after', () => `${madeAt.replace('T', ' ')}Z`, 400],
    ['created_after', () => '2026-02-30T00:00:00Z', 400],
  ])('%s %o: %s', async (filter, value, found) => {
    expect(await find(filter, value())).toBe(found);
  });

  it('in a statement exactly when it is in the balance of the statement’s end', async () => {
    const { body: entries } = await alice.get(`/v1/ledger/entries?payment_id=${payment.id}`);
    const postedMs = Date.parse(entries.data[0].created_at);
    const account = `/v1/ledger/accounts/${from.id}`;
    for (const [ms, posted] of [
      [postedMs - 1, 500],
      [postedMs, 400],
    ] as const) {
      const end = new Date(ms).toISOString().replace('Z', '5Z');
      const { body: balance } = await alice.get(`${account}/balance?at=${end}`);
      const { body: statement } = await alice.get(`${account}/statement?to=${end}`);
      expect([balance.posted, statement.closing]).toEqual([posted, posted]);
    }
  });
});

it('over gRPC, nanoseconds count as they do over REST', async () => {
  const call = async (name: string, request: object) =>
    (await (rpcs.get(`payflowx.${name}`) as Rpc).call(request, token)).response;
  const ms = Date.parse(payment.created_at);
  const at = (nanos: number) => ({
    seconds: Math.floor(ms / 1_000),
    nanos: (ms % 1_000) * 1_000_000 + nanos,
  });
  const found = async (filter: object) => {
    const request = { account_id: from.id, reference: payment.reference ?? '', ...filter };
    const { payments } = await call('payment.v1.PaymentService/ListPayments', request);
    return payments.some(({ id }: Payment) => id === payment.id);
  };
  expect([await found({ created_after: at(0) }), await found({ created_after: at(1) })]).toEqual([
    true,
    false,
  ]);
  expect([await found({ created_before: at(0) }), await found({ created_before: at(1) })]).toEqual([
    false,
    true,
  ]);

  const { body: entries } = await alice.get(`/v1/ledger/entries?payment_id=${payment.id}`);
  const postedMs = Date.parse(entries.data[0].created_at);
  const justBefore = {
    seconds: Math.floor((postedMs - 1) / 1_000),
    nanos: ((postedMs - 1) % 1_000) * 1_000_000 + 999_999,
  };
  const request = { account_id: from.id, at: justBefore };
  const balance = await call('ledger.v1.LedgerService/GetAccountBalance', request);
  expect(balance).toMatchObject({ posted_minor: '500' });
});
