import { fromRpcStatus, newId } from '@payflowx/chassis';
import { CaptureMode } from '@payflowx/proto/authorization';
import { type CreatePaymentItem, PaymentEventType, PaymentKind, PaymentState } from '@payflowx/proto/payment';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decline } from './fake-authorization.ts';
import { announced, CALL, type Platform, paymentRequest, startPlatform } from './payment-platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform?.stop());
beforeEach(() => platform.authorization.answerWith(undefined));

const gateway = { id: 'svc_gateway', roles: ['service'] as const };
const callAs = async (caller: Platform['customer']) => ({
  ...CALL,
  accessToken: await platform.tokenOf(caller),
});
const fromCustomer = (given: Parameters<typeof paymentRequest>[0] = {}) =>
  paymentRequest({
    fromAccount: platform.accountOf(platform.customer),
    toAccount: platform.accountOf(platform.otherCustomer),
    ...given,
  });

describe('a payment that is captured automatically', () => {
  it('completes, and publishes its start and end to Kafka and its end to RabbitMQ', async () => {
    const { client, customer, otherCustomer, db } = platform;
    const request = fromCustomer();
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
    expect(payment?.decision?.checks).toHaveLength(1);

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
    expect(notified).toEqual(completed);
  });

  it('calls authorization in the name of the caller, with the payment’s own id', async () => {
    const { client, customer, authorization } = platform;
    const { payment } = await client.createPayment(fromCustomer(), await callAs(customer));
    expect(authorization.asked.at(-1)).toMatchObject({
      paymentId: payment?.id,
      operationId: payment?.id,
      callerId: customer.id,
      callerRoles: [1],
    });
  });
});

it('a payment that is captured manually is AUTHORIZED, with the end of its hold', async () => {
  const { client, customer, db, authorization } = platform;
  const { payment } = await client.createPayment(
    fromCustomer({ captureMode: CaptureMode.MANUAL }),
    await callAs(customer),
  );
  expect(payment).toMatchObject({ state: PaymentState.AUTHORIZED, capturedMinor: 0n });
  const asReckoned = new Date((payment?.createdAt?.getTime() ?? 0) + 60_000);
  expect(authorization.asked.at(-1)).toMatchObject({ holdSeconds: 60, holdExpiresAt: asReckoned });
  // Authorization's clock decides when the hold ends, so callers get authorization's time.
  expect(payment?.expiresAt).toEqual(authorization.holds.expiresAt(payment?.id ?? ''));
  const types = (await announced(db, payment?.id ?? '')).map(({ type }) => type);
  expect(types).toEqual(['payment.initiated', 'payment.authorized', 'payment.authorized']);
});

describe('a payment that is declined', () => {
  it('is returned as FAILED with the reason; the sender is notified, the receiver is not', async () => {
    const { client, customer, db, authorization, ownerOf } = platform;
    authorization.answerWith((item) => decline(item, 'INSUFFICIENT_BALANCE', ownerOf));
    const { payment } = await client.createPayment(fromCustomer(), await callAs(customer));
    expect(payment).toMatchObject({
      state: PaymentState.FAILED,
      failure: { code: 'INSUFFICIENT_BALANCE', message: 'Declined: INSUFFICIENT_BALANCE.' },
      capturedMinor: 0n,
    });
    const last = (await announced(db, payment?.id ?? '')).at(-1);
    expect(last).toMatchObject({ destination: 'payment-notifications', type: 'payment.failed' });
    expect(last?.event).toMatchObject({ fromOwnerId: customer.id, toOwnerId: '', movements: [] });
  });

  it('for an operator’s own account is PERMISSION_DENIED, is kept as FAILED, and leaves the key free', async () => {
    const { client, operator, accountOf, authorization, ownerOf, db } = platform;
    authorization.answerWith((item) => decline(item, 'OWN_ACCOUNT', ownerOf));
    const accountId = accountOf(operator);
    const request = { requestId: newId('req'), accountId, amountMinor: 5n, currency: 'EUR', reference: '' };
    const refused = client.createDeposit(request, await callAs(operator));
    await expect(refused).rejects.toMatchObject({ code: 7, reason: 'OWN_ACCOUNT', domain: 'payment' });
    const tried = await db
      .selectFrom('payments')
      .select(['state', 'failure_code'])
      .where('request_id', '=', request.requestId)
      .execute();
    expect(tried).toEqual([{ state: 'FAILED', failure_code: 'OWN_ACCOUNT' }]);

    authorization.answerWith(undefined);
    const again = await client.createDeposit(request, await callAs(operator));
    expect(again).toMatchObject({ replayed: false, payment: { state: PaymentState.COMPLETED } });
  });

  it('for the payer’s account is NOT_FOUND, is not notified, and leaves the key free', async () => {
    const { client, customer, db, authorization, ownerOf } = platform;
    authorization.answerWith((item) => decline(item, 'FROM_ACCOUNT_NOT_FOUND', ownerOf));
    const request = fromCustomer();
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

    authorization.answerWith(undefined);
    const again = await client.createPayment(request, await callAs(customer));
    expect(again).toMatchObject({ replayed: false, payment: { state: PaymentState.COMPLETED } });
  });
});

describe('deposits and withdrawals', () => {
  it('are payments from and to the external account, by operators', async () => {
    const { client, customer, operator, accountOf } = platform;
    const accountId = accountOf(customer);
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
      request: fromCustomer(),
      ...given,
    });
    const items = [
      await item(customer),
      await item(customer, { accessToken: 'not.a.token' }),
      await item(auditor),
      await item(customer, { request: fromCustomer({ amountMinor: 0n }) }),
      await item(customer, { deadline: new Date(Date.now() - 1) }),
      await item(customer, { request: undefined }),
      await item(operator),
    ];
    const { results } = await client.batchCreatePayments({ items, sentAt: undefined }, await callAs(gateway));
    expect(
      results.map(({ result }) =>
        result?.$case === 'error' ? result.value.code : result?.value.payment?.state,
      ),
    ).toEqual([
      PaymentState.COMPLETED,
      16, // UNAUTHENTICATED
      7, // PERMISSION_DENIED
      3, // INVALID_ARGUMENT
      4, // DEADLINE_EXCEEDED
      3, // INVALID_ARGUMENT
      PaymentState.COMPLETED,
    ]);
    const events = platform.logged.filter(({ fields }) => fields.security_event !== undefined);
    expect(events.map(({ fields: { security_event, subject } }) => [security_event, subject])).toEqual([
      ['token_refused', undefined],
      ['access_refused', auditor.id],
    ]);
  });

  it('that lay unread past its deadlines starts nothing, and clocks that differ change no deadline', async () => {
    const { client, customer, db, tokenOf } = platform;
    const HOUR = 3_600_000;
    const send = async (sender: string, agoMs: number) => {
      const sentAt = new Date(Date.now() - agoMs);
      const deadline = new Date(sentAt.getTime() + 7_500);
      const request = fromCustomer();
      const item = { accessToken: await tokenOf(customer), traceparent: '', deadline, request };
      const settings = await callAs({ id: sender, roles: ['service'] });
      const { results } = await client.batchCreatePayments({ items: [item], sentAt }, settings);
      const keys = db.selectFrom('idempotency_keys').select('key').where('key', '=', request.requestId);
      const result = results[0]?.result;
      const code = result?.$case === 'error' ? fromRpcStatus(result.value).reason : 'created';
      return [code, (await keys.execute()).length];
    };
    const created = ['created', 1];
    for (const agoMs of [0, 15_000, 0]) {
      expect(await send('svc_same', agoMs)).toEqual(agoMs ? ['DEADLINE_EXCEEDED', 0] : created);
      expect(await send('svc_behind', agoMs + HOUR)).toEqual(agoMs ? ['DEADLINE_EXCEEDED', 0] : created);
      expect(await send('svc_ahead', agoMs - HOUR)).toEqual(agoMs ? ['DEADLINE_EXCEEDED', 0] : created);
    }
  });

  it('without items is refused', async () => {
    const refused = platform.client.batchCreatePayments(
      { items: [], sentAt: undefined },
      await callAs(gateway),
    );
    await expect(refused).rejects.toMatchObject({ code: 3, violations: [{ field: 'items' }] });
  });

  it('of a customer is refused', async () => {
    const { client, customer, tokenOf } = platform;
    const accessToken = await tokenOf(customer);
    const items = [{ accessToken, traceparent: '', deadline: undefined, request: fromCustomer() }];
    const refused = client.batchCreatePayments({ items, sentAt: undefined }, await callAs(customer));
    await expect(refused).rejects.toMatchObject({ reason: 'ROLE_NOT_ALLOWED' });
  });

  it('has an item beyond the limits of the contract refused, and no other', async () => {
    const { client, customer, tokenOf } = platform;
    const accessToken = await tokenOf(customer);
    const item = { accessToken, traceparent: '', deadline: undefined, request: fromCustomer() };
    const items = [{ ...item, traceparent: '0'.repeat(1_200_000) }, item];
    const { results } = await client.batchCreatePayments({ items, sentAt: undefined }, await callAs(gateway));
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
  const request = fromCustomer({ amountMinor: -1n, currency: 'eur' });
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
  const refused = client.createPayment(fromCustomer(), await callAs(customer));
  await expect(refused).rejects.toMatchObject({ code: 14, reason: 'DATABASE_UNAVAILABLE' });
  expect(authorization.asked).toHaveLength(asked);
});
