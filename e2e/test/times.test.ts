import { beforeAll, describe, expect, it } from 'vitest';
import { type Account, eventually, openAccount, type Payment, people } from '../src/platform.ts';
import { type Rpc, reflectedRpcs } from '../src/rpc.ts';

/** Times with more digits than the platform keeps, or with fewer than they need: against what was stored at a known millisecond. */
const { operator, alice } = people();

let from: Account;
let payment: Payment;
/** The millisecond of the payment without its Z: 2026-11-27T18:00:00.123 */
let madeAt: string;
/** When the ledger says that its money moved. */
let postedMs: number;
let token: string;
let rpcs: Map<string, Rpc>;

beforeAll(async () => {
  rpcs = await reflectedRpcs();
  token = await alice.api.accessToken();
  from = await openAccount(operator, alice.user, 500);
  const to = await openAccount(operator, alice.user, 0);
  const terms = { from_account: from.id, to_account: to.id, amount: 100, currency: 'EUR' };
  payment = (await alice.api.post('/v1/payments', { body: terms })).data;
  madeAt = payment.created_at.slice(0, -1);
  postedMs = await eventually(async () => {
    const { body } = await alice.get(`/v1/ledger/entries?payment_id=${payment.id}`);
    return Date.parse(body.data[0].created_at);
  });
});

describe('over REST, a payment is', () => {
  /** In place of MADE and LATER: the moment of the payment, and the same on a clock that is an hour ahead. */
  const at = (text: string) => {
    const anHourLater = new Date(Date.parse(payment.created_at) + 3_600_000).toISOString().slice(0, -1);
    return text.replace('MADE', madeAt).replace('LATER', anHourLater);
  };
  const find = async (filter: string, text: string) => {
    const query = `account_id=${from.id}&${filter}=${encodeURIComponent(at(text))}`;
    const { status, body } = await alice.get(`/v1/payments?${query}`);
    return status === 200 ? body.data.some(({ id }: Payment) => id === payment.id) : status;
  };

  it.each([
    ['created_after', 'MADEZ', true],
    ['created_after', 'MADE001Z', false],
    ['created_after', 'MADE000001Z', false],
    ['created_after', 'MADE000000Z', true],
    ['created_after', 'LATER+01:00', true],
    ['created_before', 'MADEZ', false],
    ['created_before', 'MADE001Z', true],
    ['created_after', 'LATER+0100', 400],
    ['created_after', 'MADE', 400],
    ['created_after', '2026-11-27', 400],
    ['created_after', '2026-11-27 18:00:00Z', 400],
    ['created_after', '2026-02-30T00:00:00Z', 400],
  ])('%s %s: %s', async (filter, text, found) => {
    expect(await find(filter, text)).toBe(found);
  });

  it('in a statement exactly when it is in the balance of the statement’s end', async () => {
    const account = `/v1/ledger/accounts/${from.id}`;
    for (const [ms, posted] of [
      [postedMs - 1, 500],
      [postedMs, 400],
    ] as const) {
      const end = new Date(ms).toISOString().replace('Z', '5Z');
      const { body: balance } = await alice.get(`${account}/balance?at=${end}`);
      const { body: statement } = await alice.get(`${account}/statement?to=${end}`);
      expect([balance.posted, statement.closing_balance]).toEqual([posted, posted]);
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

  const justBefore = {
    seconds: Math.floor((postedMs - 1) / 1_000),
    nanos: ((postedMs - 1) % 1_000) * 1_000_000 + 999_999,
  };
  const request = { account_id: from.id, at: justBefore };
  const balance = await call('ledger.v1.LedgerService/GetAccountBalance', request);
  expect(balance).toMatchObject({ posted_minor: '500' });
});
