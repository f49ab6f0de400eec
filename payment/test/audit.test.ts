import { type Caller, newId } from '@payflowx/chassis';
import { CaptureMode } from '@payflowx/proto/authorization';
import { ActionOutcome } from '@payflowx/proto/payment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifecycleOf } from './lifecycle.ts';
import { FUNDS, type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());

/** An operator of its own, so that each test sees only its own records. */
const newOperator = (more: Partial<Caller> = {}): Caller => ({
  id: newId('usr'),
  roles: ['operator'],
  ...more,
});

async function auditOf(
  actorId: string,
  { by = platform.auditor, pageSize = 100, pageToken = '', accountId = '' } = {},
) {
  const request = { actorId, accountId, pageSize, pageToken };
  return platform.client.listPaymentAuditRecords(request, await life.callAs(by));
}

async function deposit(by: Caller, accountId: string, requestId = newId('req')) {
  const request = { requestId, accountId, amountMinor: 500n, currency: 'EUR', reference: '' };
  return (await platform.client.createDeposit(request, await life.callAs(by))).payment;
}

async function withdraw(by: Caller, amountMinor = 5n) {
  const accountId = await platform.accountOf(platform.customer);
  const request = { requestId: newId('req'), accountId, amountMinor, currency: 'EUR', reference: '' };
  return (await platform.client.createWithdrawal(request, await life.callAs(by))).payment;
}

describe('the audit log of payments', () => {
  it('has every request of an operator about the money of others: who, what, on whose account, with which key', async () => {
    const { customer, otherCustomer } = platform;
    const operator = newOperator();
    const account = await platform.accountOf(customer);
    const deposited = await deposit(operator, account, 'deposit-1');
    const { id, fromAccount, toAccount } = await life.hold();
    await life.capture(id, { amountMinor: 300n }, { by: operator });
    await life.capture(id, {}, { by: operator });
    const { refund } = await life.refund(id, { amountMinor: 10n }, { by: operator });
    const other = await life.hold();
    await life.cancel(other.id, { by: operator });

    const { records } = await auditOf(operator.id);
    const ofPayer = { accountId: fromAccount, ownerId: customer.id };
    const ofReceiver = { accountId: toAccount, ownerId: otherCustomer.id };
    const done = { actorId: operator.id, clientId: '', outcome: ActionOutcome.DONE, currency: 'EUR' };
    expect(records).toMatchObject([
      {
        ...done,
        accountId: other.fromAccount,
        action: 'payment.cancelled',
        paymentId: other.id,
        amountMinor: 0n,
      },
      { ...done, ...ofReceiver, action: 'payment.refunded', id: refund?.id, paymentId: id, amountMinor: 10n },
      { ...done, ...ofPayer, action: 'payment.captured', paymentId: id, amountMinor: 700n },
      { ...done, ...ofPayer, action: 'payment.captured', paymentId: id, amountMinor: 300n },
      {
        ...done,
        accountId: account,
        action: 'deposit.created',
        id: deposited?.id,
        idempotencyKey: 'deposit-1',
      },
    ]);
    for (const { traceId, createdAt } of records) {
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(createdAt).toBeInstanceOf(Date);
    }
  });

  it('has declined requests with their code, and the API client of an operator', async () => {
    const { customer } = platform;
    const operator = newOperator({ clientId: 'cli_desk', scopes: ['payments:write'] });
    await withdraw(newOperator({ id: operator.id }), FUNDS + 1n);
    const request = await platform.newRequest({ amountMinor: FUNDS + 1n });
    await platform.client.createPayment(request, await life.callAs(operator));
    const declined = { outcome: ActionOutcome.DECLINED, failureCode: 'INSUFFICIENT_BALANCE' };
    expect((await auditOf(operator.id)).records).toMatchObject([
      { ...declined, action: 'payment.created', clientId: 'cli_desk', ownerId: customer.id },
      { ...declined, action: 'withdrawal.created', clientId: '', ownerId: customer.id },
    ]);
  });

  it('has neither requests of customers nor those that an operator may make as an owner', async () => {
    const both: Caller = { ...platform.customer, roles: ['customer', 'operator'] };
    const request = await platform.newRequest({ captureMode: CaptureMode.MANUAL });
    const { payment: own } = await platform.client.createPayment(request, await life.callAs(both));
    await life.capture(own?.id ?? '', {}, { by: both });
    expect((await auditOf(both.id)).records).toEqual([]);
  });

  it('has deposits and withdrawals that were refused because the account is the own one of the operator', async () => {
    const both: Caller = { ...platform.customer, roles: ['customer', 'operator'] };
    const refused = { reason: 'OWN_ACCOUNT' };
    await expect(deposit(both, await platform.accountOf(both))).rejects.toMatchObject(refused);
    await expect(withdraw(both)).rejects.toMatchObject(refused);
    const declined = { outcome: ActionOutcome.DECLINED, failureCode: 'OWN_ACCOUNT' };
    expect((await auditOf(both.id)).records).toMatchObject([
      { ...declined, action: 'withdrawal.created' },
      { ...declined, action: 'deposit.created' },
    ]);
  });

  it('comes in pages without duplicates or gaps while records are added, by actor and by account', async () => {
    const operator = newOperator();
    const made: string[] = [];
    const fromAccount = await platform.accountOf(platform.customer);
    const toAccount = await platform.accountOf(platform.otherCustomer);
    for (let count = 0; count < 3; count += 1) {
      made.unshift((await deposit(operator, fromAccount))?.id ?? '');
      const { id } = await life.pay({ fromAccount, toAccount });
      made.unshift((await life.refund(id, { amountMinor: 1n }, { by: operator })).refund?.id ?? '');
    }
    const seen: string[] = [];
    let pageToken = '';
    do {
      const page = await auditOf(operator.id, { pageSize: 2, pageToken });
      seen.push(...page.records.map(({ id }) => id));
      pageToken = page.nextPageToken;
      await deposit(operator, fromAccount);
    } while (pageToken !== '');
    expect(seen).toEqual(made);

    const of = async (accountId: string) =>
      (await auditOf(operator.id, { accountId })).records.map(({ action }) => action);
    expect(new Set(await of(fromAccount))).toEqual(new Set(['deposit.created', 'payment.refunded']));
    expect(new Set(await of(toAccount))).toEqual(new Set(['payment.refunded']));
  });

  it('is not for customers', async () => {
    await expect(auditOf('', { by: platform.customer })).rejects.toMatchObject({
      reason: 'ROLE_NOT_ALLOWED',
    });
    await expect(auditOf('no id')).rejects.toMatchObject({ violations: [{ field: 'actor_id' }] });
  });
});
