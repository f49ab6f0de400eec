import { fromRpcStatus, newId } from '@payflowx/chassis';
import { CaptureMode } from '@payflowx/proto/authorization';
import { type CreatePaymentItem, PaymentEventType, PaymentKind, PaymentState } from '@payflowx/proto/payment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  announced,
  CALL,
  FUNDS,
  type Platform,
  paymentRequest,
  type Server,
  startPlatform,
} from './payment-platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform?.stop());

const callAs = async (caller: Platform['customer']) => ({
  ...CALL,
  accessToken: await platform.tokenOf(caller),
});

const PAYMENT_CHECKS = ['from_account', 'to_account', 'from_state', 'to_state', 'currency', 'balance'];
/** The balance that no payment has changed. */
const NOTHING = { postedMinor: 0n, heldMinor: 0n };

describe('a payment that is captured automatically', () => {
  it('completes, and publishes its start and end to Kafka and its end to RabbitMQ', async () => {
    const { client, customer, otherCustomer, db } = platform;
    const request = await platform.newRequest();
    const { payment, replayed } = await client.createPayment(request, await callAs(customer));

    expect(replayed).toBe(false);
    expect(payment).toMatchObject({
      kind: PaymentKind.PAYMENT,
      state: PaymentState.COMPLETED,
      amountMinor: 1_250n,
      capturedMinor: 1_250n,
      description: 'Lunch',
      reference: 'order-7',
      metadata: { table: '4' },
      failure: undefined,
      version: 2n,
    });
    expect(payment?.decision?.checks.map(({ name }) => name)).toEqual(PAYMENT_CHECKS);

    const messages = await announced(db, payment?.id ?? '');
    expect(messages.map(({ destination, type }) => [destination, type])).toEqual([
      ['payment-events', 'payment.initiated'],
      ['payment-events', 'payment.completed'],
      ['payment-notifications', 'payment.completed'],
    ]);
    const [initiated, completed, notified] = messages.map(({ event }) => event);
    expect(initiated).toMatchObject({
      type: PaymentEventType.INITIATED,
      movements: [],
      fromOwnerId: '',
      toOwnerId: '',
    });
    expect(initiated?.payment?.state).toBe(PaymentState.INITIATED);
    expect(completed).toMatchObject({
      type: PaymentEventType.COMPLETED,
      fromOwnerId: customer.id,
      toOwnerId: otherCustomer.id,
      movements: [
        { kind: 3, fromAccount: request.fromAccount, toAccount: request.toAccount, amountMinor: 1_250n },
      ],
    });
    expect(completed?.payment).toEqual({ ...payment, decision: undefined });
    // Notification also gets what only readers see.
    expect(notified).toEqual({ ...completed, decision: expect.anything(), requesterId: customer.id });
  });

  it('calls authorization in the name of the caller, with the payment’s own id', async () => {
    const { client, customer, authorization } = platform;
    const { payment } = await client.createPayment(await platform.newRequest(), await callAs(customer));
    expect(authorization.asked.at(-1)).toMatchObject({
      paymentId: payment?.id,
      operationId: payment?.id,
      callerId: customer.id,
      callerRoles: [1],
    });
  });

  it('passes its deadline on to authorization, which decides nothing after it', async () => {
    const { client, customer, authorization } = platform;
    const deadline = new Date(Date.now() + 9_000);
    const { accessToken } = await callAs(customer);
    await client.createPayment(await platform.newRequest(), { deadline, accessToken });
    const passedOn = authorization.asked.at(-1)?.deadline?.getTime() ?? 0;
    // gRPC sends the time that is left, in whole milliseconds.
    expect(Math.abs(passedOn - deadline.getTime())).toBeLessThan(1_000);
  });
});

it('a payment that is captured manually is AUTHORIZED, with the end of its hold', async () => {
  const { client, customer, db, authorization } = platform;
  const { payment } = await client.createPayment(
    await platform.newRequest({ captureMode: CaptureMode.MANUAL }),
    await callAs(customer),
  );
  expect(payment).toMatchObject({ state: PaymentState.AUTHORIZED, capturedMinor: 0n });
  const asReckoned = new Date((payment?.createdAt?.getTime() ?? 0) + 60_000);
  expect(authorization.asked.at(-1)).toMatchObject({ holdSeconds: 60, holdExpiresAt: asReckoned });
  // Authorization's clock decides when the hold ends, so callers get authorization's time.
  const { expiresAt } = await authorization.holdOf(payment?.id ?? '');
  expect(payment?.expiresAt).toEqual(expiresAt);
  const types = (await announced(db, payment?.id ?? '')).map(({ type }) => type);
  expect(types).toEqual(['payment.initiated', 'payment.authorized', 'payment.authorized']);
});

describe('a payment that is declined', () => {
  it('is returned as FAILED with the reason; the sender is notified, the receiver is not', async () => {
    const { client, customer, db, authorization } = platform;
    const request = await platform.newRequest({ amountMinor: FUNDS + 1n });
    const { payment } = await client.createPayment(request, await callAs(customer));
    expect(payment).toMatchObject({
      state: PaymentState.FAILED,
      failure: {
        code: 'INSUFFICIENT_BALANCE',
        message: 'The paying account does not have enough money available.',
      },
      capturedMinor: 0n,
    });
    expect(await authorization.movedIn(request.fromAccount, request.toAccount)).toEqual([NOTHING, NOTHING]);
    const last = (await announced(db, payment?.id ?? '')).at(-1);
    expect(last).toMatchObject({ destination: 'payment-notifications', type: 'payment.failed' });
    expect(last?.event).toMatchObject({ fromOwnerId: customer.id, toOwnerId: '', movements: [] });
  });

  it('for an operator’s own account is PERMISSION_DENIED, is kept as FAILED, and leaves the key free', async () => {
    const { client, operator, customer, accountOf, db } = platform;
    const accountId = await accountOf(operator);
    const request = { requestId: newId('req'), accountId, amountMinor: 5n, currency: 'EUR', reference: '' };
    const failed = { state: 'FAILED', failure_code: 'OWN_ACCOUNT' };
    for (const attempts of [[failed], [failed, failed]]) {
      const refused = client.createDeposit(request, await callAs(operator));
      await expect(refused).rejects.toMatchObject({ code: 7, reason: 'OWN_ACCOUNT', domain: 'payment' });
      const tried = db.selectFrom('payments').select(['state', 'failure_code']);
      expect(await tried.where('request_id', '=', request.requestId).execute()).toEqual(attempts);
    }

    const other = { ...request, accountId: await accountOf(customer) };
    const again = await client.createDeposit(other, await callAs(operator));
    expect(again).toMatchObject({ replayed: false, payment: { state: PaymentState.COMPLETED } });
  });

  it('for the payer’s account is NOT_FOUND, is not notified, and leaves the key free', async () => {
    const { client, customer, otherCustomer, accountOf, db } = platform;
    const request = await platform.newRequest({ fromAccount: await accountOf(otherCustomer) });
    const refused = client.createPayment(request, await callAs(customer));
    await expect(refused).rejects.toMatchObject({
      code: 5,
      reason: 'FROM_ACCOUNT_NOT_FOUND',
      domain: 'payment',
    });

    const { id = '' } = await db
      .selectFrom('payments')
      .select(['id', 'from_owner_id'])
      .where('request_id', '=', request.requestId)
      .executeTakeFirstOrThrow();
    const messages = await announced(db, id);
    expect(messages.map(({ destination }) => destination)).toEqual(['payment-events', 'payment-events']);
    const seen = client.getPayment({ paymentId: id }, await callAs(customer));
    await expect(seen).rejects.toMatchObject({ reason: 'PAYMENT_NOT_FOUND' });

    await expect(client.createPayment(request, await callAs(customer))).rejects.toThrow();
    const tried = db.selectFrom('payments').select('id').where('request_id', '=', request.requestId);
    expect(await tried.execute(), 'a repeated request is decided again').toHaveLength(2);
    const own = { ...request, fromAccount: await accountOf(customer) };
    const again = await client.createPayment(own, await callAs(customer));
    expect(again).toMatchObject({ replayed: false, payment: { state: PaymentState.COMPLETED } });
  });
});

describe('deposits and withdrawals', () => {
  it('are payments from and to the external account, by operators', async () => {
    const { client, customer, operator, accountOf } = platform;
    const accountId = await accountOf(customer);
    const request = { accountId, amountMinor: 5n, currency: 'EUR', reference: 'r' };
    const deposit = await client.createDeposit(
      { ...request, requestId: newId('req') },
      await callAs(operator),
    );
    const withdrawal = await client.createWithdrawal(
      { ...request, requestId: newId('req') },
      await callAs(operator),
    );
    expect(deposit.payment).toMatchObject({
      kind: PaymentKind.DEPOSIT,
      fromAccount: 'external:EUR',
      toAccount: accountId,
    });
    expect(withdrawal.payment).toMatchObject({
      kind: PaymentKind.WITHDRAWAL,
      fromAccount: accountId,
      toAccount: 'external:EUR',
    });

    const refused = client.createDeposit({ ...request, requestId: newId('req') }, await callAs(customer));
    await expect(refused).rejects.toMatchObject({ code: 7, reason: 'ROLE_NOT_ALLOWED' });
  });
});

describe('a batch', () => {
  it('processes each item separately, in the name of its own token', async () => {
    const { client, customer, operator, auditor, tokenOf } = platform;
    const item = async (
      caller: Platform['customer'],
      given: Partial<CreatePaymentItem> = {},
    ): Promise<CreatePaymentItem> => ({
      accessToken: await tokenOf(caller),
      traceparent: '',
      deadline: new Date(Date.now() + CALL.deadlineMs),
      request: await platform.newRequest(),
      ...given,
    });
    const items = [
      await item(customer),
      await item(customer, { accessToken: 'not.a.token' }),
      await item(auditor),
      await item(customer, { request: await platform.newRequest({ amountMinor: 0n }) }),
      await item(customer, { deadline: new Date(Date.now() - 1) }),
      await item(customer, { request: undefined }),
      await item(operator),
    ];
    const { results } = await client.batchCreatePayments({ items, sentAt: undefined }, CALL);
    expect(
      results.map(({ result }) =>
        result?.$case === 'error'
          ? fromRpcStatus(result.value).reason
          : { state: result?.value.payment?.state },
      ),
    ).toEqual([
      { state: PaymentState.COMPLETED },
      'UNAUTHENTICATED',
      'ROLE_NOT_ALLOWED',
      'INVALID_ARGUMENT',
      'DEADLINE_EXCEEDED',
      'INVALID_ARGUMENT',
      { state: PaymentState.COMPLETED },
    ]);
    const expired = items[4]?.request?.requestId ?? '';
    const keys = platform.db.selectFrom('idempotency_keys').select('key').where('key', '=', expired);
    expect(await keys.execute(), 'an expired item starts nothing').toEqual([]);
    const events = platform.logged.filter(({ fields }) => fields.security_event !== undefined);
    expect(events.map(({ fields: { security_event, subject } }) => [security_event, subject])).toEqual([
      ['token_refused', undefined],
      ['access_refused', auditor.id],
    ]);
  });

  it('leaves a security event with the caller of an item that is refused after its token was verified', async () => {
    const { client, operator, tokenOf, accountOf, logged } = platform;
    const request = await platform.newRequest({ toAccount: await accountOf(operator) });
    const deadline = new Date(Date.now() + CALL.deadlineMs);
    const item = { accessToken: await tokenOf(operator), traceparent: '', deadline, request };
    logged.length = 0;
    await client.batchCreatePayments({ items: [item], sentAt: undefined }, CALL);
    expect(logged.map(({ fields }) => fields)).toMatchObject([
      { security_event: 'access_refused', reason: 'OWN_ACCOUNT', subject: operator.id },
    ]);
  });

  it('that lay unread past its deadlines starts nothing, and clocks that differ change no deadline', async () => {
    const { customer, db, tokenOf, startServer } = platform;
    // Each clock is that of the gateways of another instance, because all of them have one host here.
    const [same, behind, ahead] = await Promise.all([startServer(), startServer(), startServer()]);
    const HOUR = 3_600_000;
    const send = async (sender: Server, agoMs: number) => {
      const sentAt = new Date(Date.now() - agoMs);
      const deadline = new Date(sentAt.getTime() + 7_500);
      const request = await platform.newRequest();
      const item = { accessToken: await tokenOf(customer), traceparent: '', deadline, request };
      const { results } = await sender.client.batchCreatePayments({ items: [item], sentAt }, CALL);
      const keys = db.selectFrom('idempotency_keys').select('key').where('key', '=', request.requestId);
      const result = results[0]?.result;
      const code = result?.$case === 'error' ? fromRpcStatus(result.value).reason : 'created';
      return [code, (await keys.execute()).length];
    };
    const created = ['created', 1];
    for (const agoMs of [0, 15_000, 0]) {
      expect(await send(same, agoMs)).toEqual(agoMs ? ['DEADLINE_EXCEEDED', 0] : created);
      expect(await send(behind, agoMs + HOUR)).toEqual(agoMs ? ['DEADLINE_EXCEEDED', 0] : created);
      expect(await send(ahead, agoMs - HOUR)).toEqual(agoMs ? ['DEADLINE_EXCEEDED', 0] : created);
    }
  });

  it('without items is refused', async () => {
    const refused = platform.client.batchCreatePayments({ items: [], sentAt: undefined }, CALL);
    await expect(refused).rejects.toMatchObject({ code: 3, violations: [{ field: 'items' }] });
  });

  it('of a customer is refused', async () => {
    const { user, customer, tokenOf } = platform;
    const accessToken = await tokenOf(customer);
    const items = [
      { accessToken, traceparent: '', deadline: undefined, request: await platform.newRequest() },
    ];
    const refused = user.batchCreatePayments({ items, sentAt: undefined }, await callAs(customer));
    await expect(refused).rejects.toMatchObject({ reason: 'ROLE_NOT_ALLOWED' });
  });

  it('has an item beyond the limits of the contract refused, and no other', async () => {
    const { client, customer, tokenOf } = platform;
    const accessToken = await tokenOf(customer);
    const request = await platform.newRequest();
    const item = { accessToken, traceparent: '', deadline: undefined, request };
    const items = [{ ...item, traceparent: '0'.repeat(1_200_000) }, item];
    const { results } = await client.batchCreatePayments({ items, sentAt: undefined }, CALL);
    const [refused, created] = results.map(({ result }) => result);
    expect(refused?.$case === 'error' && fromRpcStatus(refused.value)).toMatchObject({
      reason: 'INVALID_ARGUMENT',
      violations: [{ field: 'traceparent' }],
    });
    expect(created?.$case).toBe('response');
  });
});

it('an invalid payment is refused with the fields that are wrong, and stores nothing', async () => {
  const { client, customer, db } = platform;
  const request = paymentRequest({ amountMinor: -1n, currency: 'eur' });
  const refused = client.createPayment(request, await callAs(customer));
  await expect(refused).rejects.toMatchObject({
    code: 3,
    reason: 'INVALID_ARGUMENT',
    violations: [{ field: 'amount_minor' }, { field: 'currency' }],
  });
  const rows = await db
    .selectFrom('idempotency_keys')
    .select('key')
    .where('key', '=', request.requestId)
    .execute();
  expect(rows).toEqual([]);
});

it('without a database nothing is started, and the caller may retry', async () => {
  const { customer, startServer, authorization } = platform;
  const asked = authorization.asked.length;
  const { client } = await startServer({ databaseUrl: 'postgres://127.0.0.1:1/nowhere' });
  const refused = client.createPayment(await platform.newRequest(), await callAs(customer));
  await expect(refused).rejects.toMatchObject({ code: 14, reason: 'DATABASE_UNAVAILABLE' });
  expect(authorization.asked).toHaveLength(asked);
});
