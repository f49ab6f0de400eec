import type { Caller } from '@payflowx/chassis';
import { CaptureMode } from '@payflowx/proto/authorization';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL, lifecycleOf } from './lifecycle.ts';
import { type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());

/** The same user, through an API client. */
const through = (clientId: string, user: Caller): Caller => ({
  ...user,
  clientId,
  scopes: ['payments:read', 'payments:write'],
});
const SHOP = 'cli_shop';
const TILL = 'cli_till';
const DESK = 'cli_desk';

const newRequest = () => platform.newRequest({ amountMinor: 1_000n, captureMode: CaptureMode.MANUAL });

async function payBy(caller: Caller, request = newRequest()) {
  const { payment } = await platform.client.createPayment(await request, await life.callAs(caller));
  if (!payment) throw new Error('The response has no payment.');
  return payment;
}

/** The client of the payment, of its steps, and of its refunds, as `by` sees them. */
async function shownTo(by: Caller, paymentId: string) {
  const call = await life.callAs(by);
  const { payment } = await platform.client.getPayment({ paymentId }, call);
  const { refunds } = await platform.client.listRefunds({ ...ALL, paymentId }, call);
  const steps = await life.steps(paymentId, by);
  return {
    payment: payment?.clientId,
    steps: steps.map(({ clientId }) => clientId),
    refunds: refunds.map(({ clientId }) => clientId),
  };
}

describe('an API client', () => {
  it('is shown to the user that it acted for, to operators and to auditors, and not to the other side', async () => {
    const { customer, otherCustomer, operator, auditor } = platform;
    const { id, clientId } = await payBy(through(SHOP, customer));
    expect(clientId).toBe(SHOP);
    const { payment } = await life.capture(id, {}, { by: customer });
    expect(payment?.clientId).toBe(SHOP);
    const { refund } = await life.refund(id, { amountMinor: 1n }, { by: through(TILL, otherCustomer) });
    expect(refund?.clientId).toBe(TILL);

    const all = { payment: SHOP, steps: [SHOP, SHOP, '', TILL], refunds: [TILL] };
    for (const reader of [operator, auditor]) expect(await shownTo(reader, id)).toEqual(all);
    const payers = { payment: SHOP, steps: [SHOP, SHOP, '', ''], refunds: [''] };
    expect(await shownTo(customer, id)).toEqual(payers);
    const receivers = { payment: '', steps: ['', '', '', TILL], refunds: [TILL] };
    expect(await shownTo(otherCustomer, id)).toEqual(receivers);
  });

  it('of an operator is not shown to the payer, not even in the response to a capture', async () => {
    const { customer, operator } = platform;
    const { id } = await payBy(through(DESK, operator));
    expect(await shownTo(operator, id)).toMatchObject({ payment: DESK, steps: [DESK, DESK] });
    expect(await shownTo(customer, id)).toMatchObject({ payment: '', steps: ['', ''] });
    const part = { amountMinor: 1n, final: false };
    expect((await life.capture(id, part, { by: customer })).payment?.clientId).toBe('');
    expect((await life.capture(id, part, { by: operator })).payment?.clientId).toBe(DESK);
  });

  it('stays the one of the first request when another client of the user sends the request again', async () => {
    const request = newRequest();
    const first = await payBy(through(SHOP, platform.customer), request);
    const again = await payBy(through(TILL, platform.customer), request);
    expect(again).toEqual(first);
    expect(again.clientId).toBe(SHOP);
  });

  it('cannot be changed in the database by the service', async () => {
    const { id } = await payBy(through(SHOP, platform.customer));
    const change = platform.db.updateTable('payments').set({ client_id: TILL }).where('id', '=', id);
    await expect(change.execute()).rejects.toMatchObject({ code: '42501' });
  });
});
