import { type Caller, newId } from '@payflowx/chassis';
import { type ListPaymentsRequest, type Payment, PaymentState } from '@payflowx/proto/payment';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ANY_PAYMENTS,
  CALL,
  FUNDS,
  type Platform,
  paymentRequest,
  startPlatform,
} from './payment-platform.ts';

let platform: Platform;
let sent: string;
let received: string;
beforeAll(async () => {
  platform = await startPlatform();
  sent = await platform.accountOf(platform.customer, { funds: 1_000n * FUNDS });
  received = await platform.accountOf(platform.otherCustomer);
});
afterAll(() => platform?.stop());

const callAs = async (caller: Caller) => ({ ...CALL, accessToken: await platform.tokenOf(caller) });

async function pay(
  given: Parameters<typeof paymentRequest>[0] = {},
  by = platform.customer,
): Promise<Payment> {
  const request = paymentRequest({ fromAccount: sent, toAccount: received, ...given });
  const { payment } = await platform.client.createPayment(request, await callAs(by));
  return payment as Payment;
}

const list = async (caller: Caller, given: Partial<ListPaymentsRequest> = {}) =>
  platform.client.listPayments({ ...ANY_PAYMENTS, ...given }, await callAs(caller));

/** Reads every page, and calls `between` after each. */
async function listAll(caller: Caller, given: Partial<ListPaymentsRequest>, between = async () => {}) {
  const payments: Payment[] = [];
  let pageToken = '';
  do {
    const page = await list(caller, { ...given, pageToken });
    payments.push(...page.payments);
    pageToken = page.nextPageToken;
    await between();
  } while (pageToken !== '');
  return payments;
}

describe('one payment', () => {
  it('is visible to its sender, its receiver, operators and auditors, and to no other user', async () => {
    const { client, customer, otherCustomer, operator, auditor } = platform;
    const { id } = await pay();
    for (const caller of [customer, otherCustomer, operator, auditor]) {
      const { payment } = await client.getPayment({ paymentId: id }, await callAs(caller));
      expect(payment?.id).toBe(id);
    }
    const stranger: Caller = { id: 'usr_stranger', roles: ['customer'] };
    for (const paymentId of [id, 'pay_1', '']) {
      const refused = client.getPayment({ paymentId }, await callAs(stranger));
      await expect(refused).rejects.toMatchObject({ code: 5, reason: 'PAYMENT_NOT_FOUND' });
    }
    await expect(client.getPayment({ paymentId: id }, CALL)).rejects.toMatchObject({ code: 16 });
  });

  it('hides the payer’s balance, limits and notes from the receiver, read or listed', async () => {
    const { client, customer, otherCustomer, auditor } = platform;
    const { id } = await pay({ reference: 'mine', metadata: { order: '4711' } });
    const [forSender, forReceiver, forAuditor] = await Promise.all(
      [customer, otherCustomer, auditor].map(async (caller) => {
        const { payment } = await client.getPayment({ paymentId: id }, await callAs(caller));
        const listed = (await list(caller)).payments.find((each) => each.id === id);
        expect(listed).toEqual(payment);
        return payment;
      }),
    );
    expect(forSender?.decision?.checks.at(-1)?.name).toBe('balance');
    expect(forSender).toMatchObject({ reference: 'mine', metadata: { order: '4711' } });
    expect(forReceiver).toEqual({ ...forSender, decision: undefined, reference: '', metadata: {} });
    expect(forAuditor).toMatchObject({ reference: 'mine', metadata: { order: '4711' } });
  });

  it('that was declined is not visible to its receiver', async () => {
    const { client, customer, otherCustomer, accountOf } = platform;
    const { id, state } = await pay({ fromAccount: await accountOf(customer, { funds: 0n }) });
    expect(state).toBe(PaymentState.FAILED);
    expect((await client.getPayment({ paymentId: id }, await callAs(customer))).payment?.id).toBe(id);
    const refused = client.getPayment({ paymentId: id }, await callAs(otherCustomer));
    await expect(refused).rejects.toMatchObject({ reason: 'PAYMENT_NOT_FOUND' });
    const listed = await listAll(otherCustomer, { state: PaymentState.FAILED });
    expect(listed).toEqual([]);
  });
});

describe('a list', () => {
  it('applies each filter', async () => {
    const { customer } = platform;
    const account = await platform.accountOf(customer);
    const small = await pay({ fromAccount: account, amountMinor: 10n, reference: 'small' });
    const large = await pay({ toAccount: account, fromAccount: sent, amountMinor: 90n, reference: 'large' });
    const ids = async (given: Partial<ListPaymentsRequest>) =>
      (await listAll(customer, { accountId: account, ...given })).map(({ id }) => id);

    expect(await ids({})).toEqual([large.id, small.id]);
    expect(await ids({ currency: 'EUR' })).toEqual([large.id, small.id]);
    expect(await ids({ currency: 'USD' })).toEqual([]);
    const dollars = await pay(await platform.newRequest({ currency: 'USD' }));
    expect((await listAll(customer, { currency: 'USD' })).map(({ id }) => id)).toEqual([dollars.id]);
    expect(await ids({ reference: 'large' })).toEqual([large.id]);
    expect(await ids({ amountMinMinor: 11n })).toEqual([large.id]);
    expect(await ids({ amountMaxMinor: 10n })).toEqual([small.id]);
    expect(await ids({ createdAfter: large.createdAt })).toEqual([large.id]);
    expect(await ids({ createdBefore: large.createdAt })).toEqual([small.id]);
    expect(await ids({ state: PaymentState.COMPLETED })).toEqual([large.id, small.id]);
    expect(await ids({ state: PaymentState.FAILED })).toEqual([]);
  });

  it('by reference finds payments only for callers that see the reference', async () => {
    const { customer, otherCustomer, operator } = platform;
    const { id } = await pay({ reference: 'between us' });
    const found = async (caller: Caller, accountId = '') =>
      (await listAll(caller, { reference: 'between us', accountId })).map((payment) => payment.id);
    expect(await found(customer)).toEqual([id]);
    expect(await found(operator)).toEqual([id]);
    expect(await found(otherCustomer)).toEqual([]);
    expect(await found(otherCustomer, received)).toEqual([]);
  });

  it('of an account shows a customer only the payments that are also its own', async () => {
    const { customer, otherCustomer, operator } = platform;
    const third: Caller = { id: 'usr_third', roles: ['customer'] };
    const account = await platform.accountOf(otherCustomer);
    const own = await pay({ toAccount: account });
    const foreign = await pay({ toAccount: account, fromAccount: await platform.accountOf(third) }, third);
    const ids = async (caller: Caller) => (await listAll(caller, { accountId: account })).map(({ id }) => id);
    expect(await ids(customer)).toEqual([own.id]);
    expect(await ids(otherCustomer)).toEqual([foreign.id, own.id]);
    expect(await ids(operator)).toEqual([foreign.id, own.id]);
  });

  it('shows a payment between two accounts of one owner once', async () => {
    const owner: Caller = { id: newId('usr'), roles: ['customer'] };
    const [from, to] = [await platform.accountOf(owner), await platform.accountOf(owner)];
    const own = await pay({ fromAccount: from, toAccount: to }, owner);
    expect((await listAll(owner, { pageSize: 1 })).map(({ id }) => id)).toEqual([own.id]);
  });

  it('refuses bad filters and page tokens', async () => {
    const { customer } = platform;
    const refusal = async (given: Partial<ListPaymentsRequest>) =>
      list(customer, given).catch((error) => error);
    expect(await refusal({ pageToken: 'bm90IG91cnM' })).toMatchObject({
      code: 3,
      reason: 'INVALID_PAGE_TOKEN',
    });
    expect(await refusal({ accountId: 'a\0', reference: '\0' })).toMatchObject({
      code: 3,
      violations: [{ field: 'account_id' }, { field: 'reference' }],
    });
    expect(await refusal({ currency: 'eur' })).toMatchObject({
      code: 3,
      violations: [{ field: 'currency' }],
    });
    expect(await refusal({ state: 77 as PaymentState })).toMatchObject({
      code: 3,
      violations: [{ field: 'state' }],
    });
    const { nextPageToken } = await list(customer, { pageSize: 1 });
    expect(nextPageToken).not.toBe('');
    expect(await refusal({ pageToken: nextPageToken, currency: 'EUR' })).toMatchObject({ code: 3 });
  });

  it('returns all payments once, newest first, with any page size, while payments are added', async () => {
    const directions = fc.array(fc.constantFrom('sent', 'received'), { minLength: 1, maxLength: 8 });
    const pageSizes = fc.integer({ min: 1, max: 7 });
    const views = fc.constantFrom('own', 'own, by account', 'auditor’s, by account');
    await fc.assert(
      fc.asyncProperty(directions, pageSizes, views, async (directions, pageSize, view) => {
        const owner: Caller = { id: newId('usr'), roles: ['customer'] };
        const own = await platform.accountOf(owner);
        const caller = view.startsWith('own') ? owner : platform.auditor;
        const given = view === 'own' ? {} : { accountId: own };
        const addOne = (direction: string) =>
          direction === 'sent'
            ? pay({ fromAccount: own, toAccount: received }, owner)
            : pay({ fromAccount: sent, toAccount: own });
        await Promise.all(directions.map(addOne));
        const before = await listAll(caller, { ...given, pageSize: 100 });
        const paged = await listAll(caller, { ...given, pageSize }, async () => void (await addOne('sent')));
        const known = new Set(before.map(({ id }) => id));
        expect(paged.filter(({ id }) => known.has(id)).map(({ id }) => id)).toEqual(
          before.map(({ id }) => id),
        );
        expect(new Set(paged.map(({ id }) => id)).size).toBe(paged.length);
        const times = paged.map(({ createdAt }) => createdAt?.getTime() ?? 0);
        expect(times).toEqual(times.toSorted((a, b) => b - a));
      }),
      { numRuns: 15 },
    );
  });
});
