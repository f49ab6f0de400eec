/** Steps of a payment after its authorization, and changes of accounts, as HTTP requests. */
import { status as grpc } from '@grpc/grpc-js';
import type { Call } from '@payflowx/chassis';
import { AccountState } from '@payflowx/proto/authorization';
import { PaymentState, RefundState } from '@payflowx/proto/payment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import {
  ALICE,
  account,
  CAPTURE_ID,
  newPayment,
  PAYMENT_ID,
  paymentOf,
  REFUND_ID,
  refundOf,
} from './examples.ts';
import { type Platform, Refusal, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
afterAll(() => platform.close());

const PAYMENT = `/v1/payments/${PAYMENT_ID}`;
const step = (name: string, body?: object) =>
  client.call('POST', `${PAYMENT}/${name}`, {
    as: 'customer',
    id: 'usr_1',
    key: 'k-1',
    ...(body && { body }),
  });

/** Sets the response of the fake, and keeps its requests. */
function recordRequests(service: 'payment' | 'authorization', method: string, answer: object) {
  const requests: unknown[] = [];
  platform.fakes[service][method] = (request: unknown) => {
    requests.push(request);
    return answer;
  };
  return requests;
}

describe('a capture', () => {
  const captured = { payment: paymentOf({}), replayed: false, pending: false, captureId: CAPTURE_ID };

  it.each([
    ['all of it, without a body', undefined, { amountMinor: undefined, final: undefined }],
    ['all of it, with an empty body', {}, { amountMinor: undefined, final: undefined }],
    ['a part', { amount: 5 }, { amountMinor: 5n, final: undefined }],
    ['the last part', { amount: 5, final: true }, { amountMinor: 5n, final: true }],
    ['all, but leaving it open', { final: false }, { amountMinor: undefined, final: false }],
    [
      'a part with notes',
      { amount: 5, reference: 'parcel-1', metadata: { a: 'b' } },
      { amountMinor: 5n, final: undefined, reference: 'parcel-1', metadata: { a: 'b' } },
    ],
  ])('of %s', async (_name, body, expected) => {
    const requests = recordRequests('payment', 'capturePayment', captured);
    const { status, headers, body: payment } = await step('capture', body);
    expect([status, payment.state, headers.has('idempotent-replayed')]).toEqual([200, 'COMPLETED', false]);
    expect(headers.get('location')).toBe(`/v1/captures/${CAPTURE_ID}`);
    const noNotes = { reference: '', metadata: {} };
    expect(requests).toEqual([{ requestId: 'k-1', paymentId: PAYMENT_ID, ...noNotes, ...expected }]);
  });

  it('is made with the caller’s own token, and needs a key', async () => {
    let caller: unknown;
    platform.fakes.payment.capturePayment = async (_request, { accessToken }: Call) => {
      caller = await platform.identity.verifier.verify(accessToken ?? '');
      return captured;
    };
    await step('capture');
    expect(caller).toMatchObject({ id: 'usr_1', roles: ['customer'] });
    const keyless = await client.call('POST', `${PAYMENT}/capture`, { as: 'customer' });
    expect([keyless.status, keyless.body.code]).toEqual([400, 'IDEMPOTENCY_KEY_REQUIRED']);
  });

  it('refuses a body that contradicts it', async () => {
    for (const body of [{ amount: 0 }, { amount: null }, { final: 'yes' }, { all: true }, []]) {
      expect((await step('capture', body)).status).toBe(400);
    }
    expect((await step('cancel', { amount: 5 })).body.errors).toMatchObject([{ pointer: '/amount' }]);
  });
});

describe.each(['capture', 'cancel'])('a %s', (name) => {
  const method = name === 'capture' ? 'capturePayment' : 'cancelPayment';

  it('with an outcome that is not known yet is 202, with Location and Retry-After', async () => {
    const payment = paymentOf({}, { state: PaymentState.AUTHORIZED });
    recordRequests('payment', method, { payment, replayed: false, pending: true, captureId: CAPTURE_ID });
    const { status, headers, body } = await step(name);
    expect([status, body.state]).toEqual([202, 'AUTHORIZED']);
    const polled = name === 'capture' ? `/v1/captures/${CAPTURE_ID}` : PAYMENT;
    expect([headers.get('location'), headers.get('retry-after')]).toEqual([polled, '1']);
  });

  it('that is replayed is marked as a replay', async () => {
    recordRequests('payment', method, {
      payment: paymentOf({}),
      replayed: true,
      pending: false,
      captureId: CAPTURE_ID,
    });
    const { status, headers } = await step(name);
    expect([status, headers.get('idempotent-replayed')]).toEqual([200, 'true']);
  });

  it('that the state does not allow is 409 with the state and its allowed actions, and again when replayed', async () => {
    for (const replayed of [false, true]) {
      const metadata = {
        state: 'COMPLETED',
        allowed_actions: 'refund',
        ...(replayed && { replayed: 'true' }),
      };
      platform.fakes.payment[method] = () => {
        throw new Refusal('INVALID_STATE', grpc.FAILED_PRECONDITION, { metadata });
      };
      const { status, headers, body } = await step(name);
      expect(status).toBe(409);
      expect(body).toMatchObject({ code: 'INVALID_STATE', state: 'COMPLETED', allowed_actions: ['refund'] });
      expect(headers.get('idempotent-replayed')).toBe(replayed ? 'true' : null);
    }
  });
});

describe('a step that is refused', () => {
  it.each([
    ['capture', 'CAPTURE_EXCEEDS_AUTHORIZED', grpc.FAILED_PRECONDITION, 422, { available: 250 }],
    ['capture', 'TO_ACCOUNT_NOT_ACTIVE', grpc.FAILED_PRECONDITION, 409, { retryable: false }],
    ['capture', 'TO_ACCOUNT_CLOSED', grpc.FAILED_PRECONDITION, 409, { retryable: false }],
    ['capture', 'ACTION_NOT_ALLOWED', grpc.PERMISSION_DENIED, 403, {}],
    ['cancel', 'PAYMENT_NOT_FOUND', grpc.NOT_FOUND, 404, {}],
    ['cancel', 'IDEMPOTENCY_IN_PROGRESS', grpc.ABORTED, 409, {}],
    ['refunds', 'REFUND_EXCEEDS_CAPTURED', grpc.FAILED_PRECONDITION, 422, { available: 250 }],
    ['refunds', 'IDEMPOTENCY_KEY_REUSED', grpc.FAILED_PRECONDITION, 422, {}],
  ])('%s: %s', async (name, reason, code, status, members) => {
    const refuse = () => {
      throw new Refusal(reason, code, { metadata: { available_minor: '250' } });
    };
    Object.assign(platform.fakes.payment, {
      capturePayment: refuse,
      cancelPayment: refuse,
      createRefund: refuse,
    });
    const answer = await step(name);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ code: reason, ...members });
  });
});

describe('a refund', () => {
  it('that was created is 201, and its Location is its own', async () => {
    const requests = recordRequests('payment', 'createRefund', { refund: refundOf({}), replayed: true });
    const { status, headers, body } = await step('refunds', { amount: 500, reason: 'Broken' });
    expect([status, body.id, body.state]).toEqual([201, REFUND_ID, 'COMPLETED']);
    expect(headers.get('location')).toBe(`/v1/refunds/${REFUND_ID}`);
    expect(headers.get('idempotent-replayed')).toBe('true');
    expect(requests).toEqual([
      {
        requestId: 'k-1',
        paymentId: PAYMENT_ID,
        amountMinor: 500n,
        reason: 'Broken',
        reference: '',
        metadata: {},
      },
    ]);
  });

  it('with an outcome that is not known yet is 202', async () => {
    recordRequests('payment', 'createRefund', {
      refund: refundOf({ state: RefundState.PENDING }),
      replayed: false,
    });
    const { status, headers, body } = await step('refunds');
    expect([status, body.state, headers.get('retry-after')]).toEqual([202, 'PENDING', '1']);
  });

  it('that was declined is 402, with the refund', async () => {
    const failure = { code: 'INSUFFICIENT_BALANCE', message: 'The receiver has spent it.' };
    const refund = refundOf({ state: RefundState.FAILED, failure });
    recordRequests('payment', 'createRefund', { refund, replayed: false });
    const { status, body } = await step('refunds');
    expect(status).toBe(402);
    expect(body).toMatchObject({
      code: 'INSUFFICIENT_BALANCE',
      detail: 'The receiver has spent it.',
      refund: { id: REFUND_ID, state: 'FAILED', failure: { code: 'INSUFFICIENT_BALANCE' } },
    });
  });
});

describe('a simulation', () => {
  it('needs no key, and is 200 also if the payment would be declined', async () => {
    const requests = recordRequests('payment', 'simulatePayment', { decision: paymentOf({}).decision });
    const { status, text } = await client.call('POST', '/v1/payments/simulate', {
      as: 'customer',
      body: newPayment,
    });
    expect(status).toBe(200);
    expect(requests).toMatchObject([{ payment: { requestId: '', amountMinor: 1250n } }]);
    // Callers must not see the owner of the receiver's account.
    expect(text).not.toContain('usr_');
  });

  it('is 429 with the time of the next one if the caller has used up its simulations', async () => {
    platform.fakes.payment.simulatePayment = () => {
      throw new Refusal('TOO_MANY_REQUESTS', grpc.RESOURCE_EXHAUSTED, { retryAfterMs: 6_500 });
    };
    const simulate = client.call('POST', '/v1/payments/simulate', { as: 'customer', body: newPayment });
    const { status, headers, body } = await simulate;
    expect([status, headers.get('retry-after'), body.code]).toEqual([429, '7', 'TOO_MANY_REQUESTS']);
  });
});

describe('a change of an account', () => {
  const patch = (body: object, headers: Record<string, string> = { 'if-match': '"7"' }) =>
    client.call('PATCH', `/v1/accounts/${ALICE}`, { as: 'operator', body, headers });

  it('needs the version that it is based on', async () => {
    const absent = await patch({}, {});
    expect([absent.status, absent.body.code]).toEqual([428, 'PRECONDITION_REQUIRED']);
    for (const invalid of ['7', 'W/"7"', '*', '"0"', '"a"', '"1", "2"']) {
      const answer = await patch({}, { 'if-match': invalid });
      expect([invalid, answer.status, answer.body.errors?.[0].pointer]).toEqual([invalid, 400, '/if-match']);
    }
  });

  it('gets the current version if it was based on another one', async () => {
    platform.fakes.authorization.updateAccount = () => {
      throw new Refusal('VERSION_MISMATCH', grpc.ABORTED, { metadata: { version: '9' } });
    };
    const { status, headers, body } = await patch({ name: 'New' });
    expect([status, body.code, body.version, headers.get('etag')]).toEqual([
      412,
      'VERSION_MISMATCH',
      9,
      '"9"',
    ]);
  });

  it('keeps absent fields, and removes those that are null', async () => {
    const limits = { perPaymentMinor: 5n, dailyMinor: 10n, monthlyMinor: undefined, dailyCount: 3 };
    recordRequests('authorization', 'getAccount', { account: { ...account, limits } });
    const requests = recordRequests('authorization', 'updateAccount', {
      account: { ...account, version: 8n },
    });

    const first = await patch({ limits: { daily: null, monthly: 100 } });
    expect([first.status, first.headers.get('etag')]).toEqual([200, '"8"']);
    await patch({ name: null, time_zone: 'Asia/Kolkata' });
    await patch({ limits: null });
    await patch({ external_id: null, metadata: { branch: 'Bonn', desk: null } });
    const same = { metadata: {}, removedMetadata: [], externalId: undefined };
    const rest = { accountId: ALICE, expectedVersion: 7n, name: undefined, timeZone: undefined, ...same };
    expect(requests).toEqual([
      {
        ...rest,
        limits: { perPaymentMinor: 5n, dailyMinor: undefined, monthlyMinor: 100n, dailyCount: 3 },
      },
      { ...rest, name: '', timeZone: 'Asia/Kolkata', limits: undefined },
      {
        ...rest,
        limits: {
          perPaymentMinor: undefined,
          dailyMinor: undefined,
          monthlyMinor: undefined,
          dailyCount: undefined,
        },
      },
      {
        ...{ ...rest, limits: undefined, externalId: '' },
        ...{ metadata: { branch: 'Bonn' }, removedMetadata: ['desk'] },
      },
    ]);
  });

  it.each(['Mars/Olympus', '+01:00', '', 'europe berlin', 5, null])(
    'refuses the time zone %j',
    async (time_zone) => {
      const { status, body } = await patch({ time_zone });
      expect([status, body.errors[0].pointer]).toEqual([400, '/time_zone']);
    },
  );

  it('of its state takes a reason and, optionally, a version', async () => {
    const requests = recordRequests('authorization', 'changeAccountState', { account });
    const change = (name: string, options: object) =>
      client.call('POST', `/v1/accounts/${ALICE}/${name}`, { as: 'operator', ...options });
    await change('freeze', { body: { reason: 'stolen' } });
    await change('unfreeze', { headers: { 'if-match': '"7"' } });
    const closed = await change('close', { body: {} });
    expect([closed.status, closed.headers.get('etag')]).toEqual([200, '"1"']);
    expect(requests).toEqual([
      { accountId: ALICE, state: AccountState.FROZEN, expectedVersion: 0n, reason: 'stolen' },
      { accountId: ALICE, state: AccountState.ACTIVE, expectedVersion: 7n, reason: '' },
      { accountId: ALICE, state: AccountState.CLOSED, expectedVersion: 0n, reason: '' },
    ]);
  });

  it('that cannot close the account lists its balance', async () => {
    platform.fakes.authorization.changeAccountState = () => {
      const metadata = { posted_minor: '5', held_minor: '1' };
      throw new Refusal('ACCOUNT_NOT_EMPTY', grpc.FAILED_PRECONDITION, { metadata });
    };
    const { status, body } = await client.call('POST', `/v1/accounts/${ALICE}/close`, { as: 'operator' });
    expect([status, body.code, body.balance]).toEqual([409, 'ACCOUNT_NOT_EMPTY', { posted: 5, held: 1 }]);
  });
});

describe('a receipt that the ledger does not know', () => {
  const receipt = async (payment: (request: unknown) => unknown) => {
    platform.fakes.ledger.getReceipt = () => {
      throw new Refusal('PAYMENT_NOT_FOUND', grpc.NOT_FOUND, {});
    };
    platform.fakes.payment.getPayment = payment as never;
    const path = `/v1/ledger/payments/${PAYMENT_ID}/receipt`;
    const { status, headers, body } = await client.call('GET', path, { as: 'customer' });
    return [status, body.code, headers.get('retry-after')];
  };

  it('is 409 with Retry-After if its payment exists, and moved or may move money', async () => {
    for (const state of [PaymentState.INITIATED, PaymentState.COMPLETED])
      expect(await receipt(() => ({ payment: paymentOf({}, { state }) }))).toEqual([
        409,
        'NOT_SEALED_YET',
        '1',
      ]);
  });

  it('is 404 if its payment was declined, is not the caller’s, or may not be read with this token', async () => {
    const refused = (reason: string, code: grpc) => () => {
      throw new Refusal(reason, code, {});
    };
    for (const payment of [
      () => ({ payment: paymentOf({}, { state: PaymentState.FAILED }) }),
      refused('PAYMENT_NOT_FOUND', grpc.NOT_FOUND),
      refused('INSUFFICIENT_SCOPE', grpc.PERMISSION_DENIED),
    ])
      expect(await receipt(payment)).toEqual([404, 'PAYMENT_NOT_FOUND', null]);
  });
});
