import { beforeAll, describe, expect, it } from 'vitest';
import { type Account, openAccount, people } from '../src/platform.ts';
import { type Rpc, reflectedRpcs } from '../src/rpc.ts';

/** As operators do with grpcurl: with an address and a token, and contracts learnt by reflection. */
const { operator, alice, bob } = people();

let rpcs: Map<string, Rpc>;
let from: Account;
let to: Account;
let token: string;

beforeAll(async () => {
  rpcs = await reflectedRpcs();
  [from, to] = await Promise.all([
    openAccount(operator, alice.user, 1_000),
    openAccount(operator, bob.user, 0),
  ]);
  token = await alice.api.accessToken();
});

const call = (name: string, request: object, as?: string) =>
  (rpcs.get(`payflowx.${name}`) as Rpc).call(request, as);

describe('by reflection alone', () => {
  it('a payment is held, captured and read', async () => {
    const request = {
      ...{ from_account: from.id, to_account: to.id, amount_minor: 300, currency: 'EUR' },
      ...{ capture_mode: 'CAPTURE_MODE_MANUAL', request_id: crypto.randomUUID() },
    };
    const { response } = await call('payment.v1.PaymentService/CreatePayment', request, token);
    expect(response.payment).toMatchObject({ state: 'PAYMENT_STATE_AUTHORIZED', amount_minor: '300' });
    const { id } = response.payment;
    const capture = { payment_id: id, request_id: crypto.randomUUID() };
    await call('payment.v1.PaymentService/CapturePayment', capture, token);
    const read = await call('payment.v1.PaymentService/GetPayment', { payment_id: id }, token);
    expect(read.response.payment).toMatchObject({ state: 'PAYMENT_STATE_COMPLETED', captured_minor: '300' });
  });

  it.each([
    [
      'authorization.v1.AccountService/GetAccount',
      () => ({ account_id: from.id }),
      undefined,
      'UNAUTHENTICATED',
      'UNAUTHENTICATED',
    ],
    [
      'authorization.v1.AccountService/GetAccount',
      () => ({ account_id: from.id }),
      bob,
      'NOT_FOUND',
      'ACCOUNT_NOT_FOUND',
    ],
    [
      'authorization.v1.AccountService/ListBalances',
      () => ({}),
      bob,
      'PERMISSION_DENIED',
      'ROLE_NOT_ALLOWED',
    ],
    [
      'payment.v1.PaymentService/GetPayment',
      () => ({ payment_id: 'pay_x' }),
      bob,
      'NOT_FOUND',
      'PAYMENT_NOT_FOUND',
    ],
    [
      'payment.v1.PaymentService/ListPayments',
      () => ({ account_id: 'x' }),
      bob,
      'INVALID_ARGUMENT',
      'INVALID_ARGUMENT',
    ],
    [
      'payment.v1.PaymentService/ListPayments',
      () => ({ page_token: 'x' }),
      bob,
      'INVALID_ARGUMENT',
      'INVALID_PAGE_TOKEN',
    ],
  ])('%s tells code and reason of a refusal', async (name, request, as, code, reason) => {
    const answer = await call(name, request(), await as?.api.accessToken());
    expect([answer.code, answer.reason]).toEqual([code, reason]);
    expect(answer.message).not.toBe('');
  });
});
