/** Responses and errors of the services, translated to HTTP. */
import { status as grpc } from '@grpc/grpc-js';
import { toRpcStatus } from '@payflowx/chassis';
import { testLog } from '@payflowx/chassis/testing';
import { PaymentState } from '@payflowx/proto/payment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from './client.ts';
import {
  ALICE,
  AT,
  account,
  CLIENT_ID,
  declinedPayment,
  newPayment,
  PAYMENT_ID,
  paymentOf,
  USER_ID,
} from './examples.ts';
import { type Platform, Refusal, refusals, startPlatform } from './platform.ts';

let platform: Platform;
let client: Client;

beforeAll(async () => {
  platform = await startPlatform();
  client = await createClient(platform);
});
afterAll(() => platform.close());

const createWith = (result: object) => {
  platform.fakes.payment.batchCreatePayments = () => ({ results: [{ result }] });
  return client.call('POST', '/v1/payments', { as: 'customer', key: 'k', body: newPayment });
};
const answered = (payment: object, replayed = false) =>
  createWith({ $case: 'response', value: { payment, replayed } });

describe('a payment', () => {
  it('that completed is 201, with its Location', async () => {
    const { status, headers, body } = await answered(paymentOf({}));
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/payments/${PAYMENT_ID}`);
    expect(headers.has('idempotent-replayed')).toBe(false);
    expect(body).toMatchObject({ id: PAYMENT_ID, state: 'COMPLETED', amount: 1250, failure: null });
  });

  it('with an outcome that is not known yet is 202, with Location and Retry-After', async () => {
    const undecided = { state: PaymentState.INITIATED, decision: undefined, capturedMinor: 0n };
    const { status, headers, body } = await answered(paymentOf({}, undecided));
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/v1/payments/${PAYMENT_ID}`);
    expect(headers.get('retry-after')).toBe('1');
    expect(body).toMatchObject({ state: 'INITIATED', decision: null });
  });

  it('that was declined is 402, with the payment and the limit', async () => {
    const { status, headers, body } = await answered(declinedPayment('DAILY_LIMIT_EXCEEDED'));
    expect(status).toBe(402);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body).toMatchObject({
      code: 'DAILY_LIMIT_EXCEEDED',
      detail: 'The day’s limit is used up.',
      limit: 10_000,
      used: 9_500,
      resets_at: AT.toISOString(),
      // Final for this key. With a new one the payment may succeed after the limit is reset.
      retryable: false,
      payment: {
        id: PAYMENT_ID,
        state: 'FAILED',
        failure: { code: 'DAILY_LIMIT_EXCEEDED', retryable: true },
      },
    });
  });

  it.each([
    ['INSUFFICIENT_BALANCE', true],
    ['TO_ACCOUNT_NOT_ACTIVE', true],
    ['TO_ACCOUNT_CLOSED', false],
    ['CURRENCY_MISMATCH', false],
  ])('that was declined with %s says if a new request may succeed later: %s', async (code, retryable) => {
    const { body } = await answered(declinedPayment(code));
    expect(body.payment.failure).toMatchObject({ code, retryable });
  });

  it('from an account of another user is 404', async () => {
    const { status, body } = await answered(declinedPayment('FROM_ACCOUNT_NOT_FOUND'));
    expect([status, body.code]).toEqual([404, 'FROM_ACCOUNT_NOT_FOUND']);
    expect(body.payment).toBeUndefined();
  });

  it('that is replayed is marked as a replay, with the same status and body', async () => {
    const [first, second] = [await answered(paymentOf({})), await answered(paymentOf({}), true)];
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect([second.status, second.text]).toEqual([first.status, first.text]);

    const declined = declinedPayment('INSUFFICIENT_BALANCE');
    const [refused, again] = [await answered(declined), await answered(declined, true)];
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    // Only the id of the request itself differs.
    expect({ ...again.body, request_id: '' }).toEqual({ ...refused.body, request_id: '' });
    expect(again.status).toBe(402);
  });
});

const DEPOSIT = { account_id: ALICE, amount: 500, currency: 'EUR' };

describe.each(['deposits', 'withdrawals'] as const)('%s', (name) => {
  const method = name === 'deposits' ? 'createDeposit' : 'createWithdrawal';

  it('are sent with the operator’s own token and key', async () => {
    let seen: unknown;
    platform.fakes.payment[method] = async (request, { accessToken }) => {
      seen = { ...request, caller: await platform.identity.verifier.verify(accessToken ?? '') };
      return { payment: paymentOf({ amountMinor: request.amountMinor }), replayed: true };
    };
    const options = { as: 'operator', id: 'usr_op', key: 'd-1', body: DEPOSIT } as const;
    const { status, headers, body } = await client.call('POST', `/v1/${name}`, options);
    expect([status, body.amount, headers.get('idempotent-replayed')]).toEqual([201, 500, 'true']);
    expect(seen).toMatchObject({
      requestId: 'd-1',
      accountId: ALICE,
      amountMinor: 500n,
      currency: 'EUR',
      reference: '',
      caller: { id: 'usr_op', roles: ['operator'] },
    });
  });
});

it('a request without a key gets one for the call to the service, which may be retried', async () => {
  const keys: string[] = [];
  platform.fakes.authorization.createAccount = ({ requestId }) => {
    keys.push(requestId);
    if (keys.length === 1) throw new Refusal('DATABASE_UNAVAILABLE', grpc.UNAVAILABLE);
    return { account };
  };
  const body = { owner_id: USER_ID, currency: 'EUR' };
  const { status } = await client.call('POST', '/v1/accounts', { as: 'operator', body });
  expect(status).toBe(201);
  expect(keys).toEqual([expect.stringMatching(/^req_/), keys[0]]);
});

it.each([
  ['POST', '/v1/auth/login', 'login', { username: 'alice', password: 'correct horse battery' }],
  ['POST', `/v1/api-clients/${CLIENT_ID}/rotate-secret`, 'rotateApiClientSecret', {}],
] as const)(
  '%s %s is never repeated: a second call would spend or replace a secret',
  async (method, path, rpc, body) => {
    let calls = 0;
    platform.fakes.auth[rpc] = () => {
      calls += 1;
      throw new Refusal('DATABASE_UNAVAILABLE', grpc.UNAVAILABLE);
    };
    const { status } = await client.call(method, path, { as: 'admin', body });
    expect([status, calls]).toEqual([503, 1]);
  },
);

describe('an error of another service', () => {
  const cases: [string, grpc, number, string][] = [
    ['SAME_ACCOUNT', grpc.FAILED_PRECONDITION, 422, 'SAME_ACCOUNT'],
    ['FROM_ACCOUNT_NOT_FOUND', grpc.NOT_FOUND, 404, 'FROM_ACCOUNT_NOT_FOUND'],
    ['IDEMPOTENCY_KEY_REQUIRED', grpc.INVALID_ARGUMENT, 400, 'IDEMPOTENCY_KEY_REQUIRED'],
    ['IDEMPOTENCY_KEY_REUSED', grpc.FAILED_PRECONDITION, 422, 'IDEMPOTENCY_KEY_REUSED'],
    ['IDEMPOTENCY_IN_PROGRESS', grpc.ABORTED, 409, 'IDEMPOTENCY_IN_PROGRESS'],
    ['INVALID_ARGUMENT', grpc.INVALID_ARGUMENT, 400, 'INVALID_REQUEST'],
    ['UNAUTHENTICATED', grpc.UNAUTHENTICATED, 401, 'UNAUTHENTICATED'],
    ['ROLE_NOT_ALLOWED', grpc.PERMISSION_DENIED, 403, 'ROLE_NOT_ALLOWED'],
    ['DATABASE_UNAVAILABLE', grpc.UNAVAILABLE, 503, 'UNAVAILABLE'],
    ['DEADLINE_EXCEEDED', grpc.DEADLINE_EXCEEDED, 504, 'TIMEOUT'],
    ['INTERNAL', grpc.INTERNAL, 500, 'INTERNAL'],
    ['SOMETHING_NEW', grpc.UNKNOWN, 500, 'INTERNAL'],
  ];

  it.each(cases)('%s is translated to the names of the REST API', async (reason, code, status, problem) => {
    const value = toRpcStatus(new Refusal(reason, code), refusals, testLog);
    const { headers, body, ...answer } = await createWith({ $case: 'error', value });
    expect([answer.status, body.code]).toEqual([status, problem]);
    expect(body).toMatchObject({ status, instance: '/v1/payments', request_id: headers.get('x-request-id') });
    expect(headers.has('retry-after')).toBe(status === 503 || reason === 'IDEMPOTENCY_IN_PROGRESS');
    expect(headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null);
    // Internal details of another service do not reach clients.
    if (status >= 500) expect(answer.text).not.toContain('An error of the fake service.');
    if (status === 500) expect(body.error_id).toMatch(/^err_/);
  });

  it('keeps its retry time', async () => {
    const busy = new Refusal('IDEMPOTENCY_IN_PROGRESS', grpc.ABORTED, { retryAfterMs: 2_500 });
    const answer = await createWith({ $case: 'error', value: toRpcStatus(busy, refusals, testLog) });
    expect(answer.headers.get('retry-after')).toBe('3');
  });

  it('has its fields under their REST names', async () => {
    platform.fakes.authorization.createAccount = () => {
      const violations = [
        { field: 'limits.daily_minor', description: 'is too much' },
        { field: 'request_id', description: 'is odd' },
      ];
      throw new Refusal('INVALID_ARGUMENT', grpc.INVALID_ARGUMENT, { violations });
    };
    const body = { owner_id: 'usr_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3e', currency: 'EUR' };
    const answer = await client.call('POST', '/v1/accounts', { as: 'operator', body });
    expect(answer.body.errors).toEqual([
      { pointer: '/limits/daily', detail: 'is too much', in: 'body' },
      { pointer: '/idempotency-key', detail: 'is odd', in: 'header' },
    ]);
  });

  it('has the fields of a read in the query string', async () => {
    platform.fakes.analytics.listDailyTotals = () => {
      const violations = [{ field: 'from', description: 'must not be after to' }];
      throw new Refusal('INVALID_ARGUMENT', grpc.INVALID_ARGUMENT, { violations });
    };
    const { body } = await client.call('GET', '/v1/analytics/daily?from=2026-12-31', { as: 'auditor' });
    expect(body.errors).toEqual([{ pointer: '/from', detail: 'must not be after to', in: 'query' }]);
  });

  it('about the gateway’s own token is a 503 that the caller may retry, and not the caller’s fault', async () => {
    platform.fakes.payment.batchCreatePayments = () => {
      throw new Refusal('UNAUTHENTICATED', grpc.UNAUTHENTICATED);
    };
    const { status, body } = await client.call('POST', '/v1/payments', {
      as: 'customer',
      key: 'k',
      body: newPayment,
    });
    expect([status, body.code]).toEqual([503, 'UNAVAILABLE']);
  });
});

it('gets 503 with Retry-After when another service is unavailable, and 504 when it does not answer', async () => {
  const withoutLedger = await startPlatform({ LEDGER_TARGET: 'ipv4:127.0.0.1:1' });
  try {
    const caller = await createClient(withoutLedger);
    const proof = await caller.call('GET', '/v1/ledger/proof', { as: 'auditor' });
    expect([proof.status, proof.body.code, proof.headers.get('retry-after')]).toEqual([
      503,
      'UNAVAILABLE',
      '1',
    ]);
    expect(proof.text).not.toContain('127.0.0.1');
  } finally {
    await withoutLedger.close();
  }
  const silent = await startPlatform({ REQUEST_DEADLINE_MS: '500' });
  try {
    silent.fakes.payment.batchCreatePayments = () => new Promise(() => {});
    const caller = await createClient(silent);
    const answer = await caller.call('POST', '/v1/payments', { as: 'customer', key: 'k', body: newPayment });
    expect([answer.status, answer.body.code]).toEqual([504, 'TIMEOUT']);
  } finally {
    await silent.close();
  }
});
