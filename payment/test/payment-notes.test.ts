/** Each side of a payment has its own reference and metadata, which the other side neither sees nor finds. */
import { type Caller, newId } from '@payflowx/chassis';
import type { ChangePaymentNotesRequest, ListPaymentsRequest, Payment } from '@payflowx/proto/payment';
import { PaymentState } from '@payflowx/proto/payment';
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
const stranger: Caller = { id: 'usr_stranger', roles: ['customer'] };

async function pay(given: Parameters<typeof paymentRequest>[0] = {}): Promise<Payment> {
  const request = paymentRequest({ fromAccount: sent, toAccount: received, ...given });
  const { payment } = await platform.client.createPayment(request, await callAs(platform.customer));
  return payment as Payment;
}

type Change = Partial<Omit<ChangePaymentNotesRequest, 'paymentId'>>;

async function change(caller: Caller, paymentId: string, given: Change) {
  const request = { paymentId, reference: undefined, metadata: {}, removedMetadata: [], ...given };
  const { payment } = await platform.client.changePaymentNotes(request, await callAs(caller));
  return payment;
}

async function read(caller: Caller, paymentId: string) {
  const { payment } = await platform.client.getPayment({ paymentId }, await callAs(caller));
  return payment;
}

/** Returns the ids of all pages, which have one payment each. */
async function idsOf(caller: Caller, given: Partial<ListPaymentsRequest>): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = '';
  do {
    const request = { ...ANY_PAYMENTS, pageSize: 1, ...given, pageToken };
    const page = await platform.client.listPayments(request, await callAs(caller));
    ids.push(...page.payments.map(({ id }) => id));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return ids;
}

describe('the notes of a side', () => {
  it('are changed by that side, and neither side sees those of the other', async () => {
    const { customer, otherCustomer, operator, auditor } = platform;
    const before = await pay({ reference: 'order-1', metadata: { order: '1', draft: 'yes' } });
    const { id } = before;
    expect(await read(otherCustomer, id)).toMatchObject({ reference: '', metadata: {} });

    const payees = { reference: 'invoice-1', metadata: { booked: 'no' } };
    expect(await change(otherCustomer, id, payees)).toMatchObject(payees);
    expect(await read(customer, id)).toEqual(before);

    const changed = await change(customer, id, { metadata: { order: '2' }, removedMetadata: ['draft'] });
    expect(changed).toEqual({ ...before, metadata: { order: '2' } });
    expect(await read(customer, id)).toEqual(changed);
    expect(await read(otherCustomer, id)).toMatchObject({ ...payees, payeeNotes: undefined });
    for (const caller of [operator, auditor]) {
      const both = { reference: 'order-1', metadata: { order: '2' }, payeeNotes: payees };
      expect(await read(caller, id)).toMatchObject(both);
    }
  });

  it('may be changed again and again: the same change has the same result', async () => {
    const { id } = await pay();
    const once = await change(platform.otherCustomer, id, { reference: 'a', metadata: { b: 'c' } });
    expect(await change(platform.otherCustomer, id, { reference: 'a', metadata: { b: 'c' } })).toEqual(once);
    expect(await change(platform.otherCustomer, id, {})).toEqual(once);
  });

  it('keep what programs change at the same time', async () => {
    const { id } = await pay({ metadata: {} });
    const names = Array.from({ length: 10 }, (_, index) => `name${index}`);
    await Promise.all(names.map((name) => change(platform.customer, id, { metadata: { [name]: 'x' } })));
    expect(Object.keys((await read(platform.customer, id))?.metadata ?? {}).toSorted()).toEqual(names);
  });

  it('do not change the first response to the request, nor the version', async () => {
    const request = paymentRequest({
      fromAccount: sent,
      toAccount: received,
      requestId: newId('req'),
      reference: 'a',
    });
    const asCustomer = await callAs(platform.customer);
    const first = await platform.client.createPayment(request, asCustomer);
    await change(platform.customer, first.payment?.id ?? '', { reference: 'b' });
    const again = await platform.client.createPayment(request, asCustomer);
    expect(again).toEqual({ ...first, replayed: true });
  });
});

describe('a change is refused', () => {
  it('of a payment of other users, or that does not exist', async () => {
    const { id } = await pay();
    for (const paymentId of [id, newId('pay'), 'pay_1'])
      await expect(change(stranger, paymentId, { reference: 'x' })).rejects.toMatchObject({
        code: 5,
        reason: 'PAYMENT_NOT_FOUND',
      });
  });

  it('for an operator without an account in it, and for an auditor', async () => {
    const { id } = await pay();
    await expect(change(platform.operator, id, { reference: 'x' })).rejects.toMatchObject({
      code: 7,
      reason: 'ACTION_NOT_ALLOWED',
    });
    await expect(change(platform.auditor, id, { reference: 'x' })).rejects.toMatchObject({ code: 7 });
  });

  it('for the receiver of a declined payment, which it does not see', async () => {
    const { id, state } = await pay({
      fromAccount: await platform.accountOf(platform.customer, { funds: 0n }),
    });
    expect(state).toBe(PaymentState.FAILED);
    const refused = change(platform.otherCustomer, id, { reference: 'x' });
    await expect(refused).rejects.toMatchObject({ reason: 'PAYMENT_NOT_FOUND' });
  });

  it('with too many pairs, and then changes nothing', async () => {
    const { id } = await pay();
    const pairs = (from: number) =>
      Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`k${from + index}`, 'v']));
    const kept = await change(platform.customer, id, { metadata: pairs(0) });
    await expect(
      change(platform.customer, id, { reference: 'x', metadata: pairs(15) }),
    ).rejects.toMatchObject({
      code: 3,
      violations: [{ field: 'metadata' }],
    });
    expect(await read(platform.customer, id)).toEqual(kept);
  });
});

describe('a list finds payments', () => {
  it('by the beginning of the current reference of the own side only', async () => {
    const { customer, otherCustomer, auditor } = platform;
    const [own, theirs] = [newId('ref'), newId('ref')];
    const first = await pay({ reference: `${own}-1` });
    const second = await pay({ reference: `${own}%2` });
    await change(customer, first.id, { reference: `${own}_3` });
    await change(otherCustomer, first.id, { reference: `${theirs}-1` });

    expect(await idsOf(customer, { referencePrefix: own })).toEqual([second.id, first.id]);
    expect(await idsOf(customer, { referencePrefix: `${own}-` })).toEqual([]);
    // Neither % nor _ stands for other characters.
    expect(await idsOf(customer, { referencePrefix: `${own}%` })).toEqual([second.id]);
    expect(await idsOf(customer, { referencePrefix: `${own}_` })).toEqual([first.id]);
    expect(await idsOf(customer, { referencePrefix: own, reference: `${own}%2` })).toEqual([second.id]);
    expect(await idsOf(customer, { referencePrefix: theirs })).toEqual([]);
    expect(await idsOf(otherCustomer, { referencePrefix: theirs })).toEqual([first.id]);
    expect(await idsOf(otherCustomer, { referencePrefix: own })).toEqual([]);
    expect(await idsOf(auditor, { referencePrefix: own })).toEqual([second.id, first.id]);
    expect(await idsOf(auditor, { referencePrefix: own.toUpperCase() })).toEqual([]);
  });

  it('by the current reference of the own side only, once each', async () => {
    const { customer, otherCustomer, auditor } = platform;
    const [old, next, payees] = [newId('ref'), newId('ref'), newId('ref')];
    const plain = await pay({ reference: old });
    const changed = await pay({ reference: old });
    await change(customer, changed.id, { reference: next });
    await change(otherCustomer, changed.id, { reference: payees });
    await change(otherCustomer, plain.id, { reference: payees });

    expect(await idsOf(customer, { reference: old })).toEqual([plain.id]);
    expect(await idsOf(customer, { reference: next })).toEqual([changed.id]);
    expect(await idsOf(customer, { reference: payees })).toEqual([]);
    expect(await idsOf(otherCustomer, { reference: payees })).toEqual([changed.id, plain.id]);
    expect(await idsOf(otherCustomer, { reference: payees, oldestFirst: true })).toEqual([
      plain.id,
      changed.id,
    ]);
    expect(await idsOf(otherCustomer, { reference: old })).toEqual([]);
    expect(await idsOf(stranger, { reference: payees })).toEqual([]);
    expect(await idsOf(auditor, { reference: payees })).toEqual([changed.id, plain.id]);
    expect(await idsOf(auditor, { reference: next })).toEqual([changed.id]);

    // Both sides, and the request, have one reference: the payment is found once.
    await change(customer, changed.id, { reference: payees });
    const same = await pay({ reference: payees });
    expect(await idsOf(auditor, { reference: payees })).toEqual([same.id, changed.id, plain.id]);
    await change(otherCustomer, same.id, { reference: payees });
    await change(customer, same.id, { metadata: { a: 'b' } });
    expect(await idsOf(auditor, { reference: payees })).toEqual([same.id, changed.id, plain.id]);
    const updatedAfter = new Date(plain.createdAt?.getTime() ?? 0);
    expect((await idsOf(auditor, { reference: payees, updatedAfter })).length).toBe(3);
  });

  it('by the current metadata of the own side only', async () => {
    const { customer, otherCustomer, auditor } = platform;
    const value = newId('evt');
    const { id } = await pay({ metadata: { first: value } });
    const found = (caller: Caller, metadata: Record<string, string>) =>
      idsOf(caller, { metadata, accountId: sent });
    expect(await found(customer, { first: value })).toEqual([id]);
    await change(customer, id, { metadata: { second: value }, removedMetadata: ['first'] });
    await change(otherCustomer, id, { metadata: { third: value } });
    expect(await found(customer, { first: value })).toEqual([]);
    expect(await found(customer, { second: value })).toEqual([id]);
    expect(await found(customer, { third: value })).toEqual([]);
    expect(await found(otherCustomer, { third: value })).toEqual([id]);
    expect(await found(otherCustomer, { second: value })).toEqual([]);
    expect(await found(auditor, { third: value })).toEqual([id]);
    expect(await found(auditor, { second: value })).toEqual([id]);
    expect(await found(auditor, { second: value, third: value })).toEqual([]);
  });
});
