/** A decision names the owner of the other account. Customers never see that owner, in any response that has a decision. */
import { newId } from '@payflowx/chassis';
import { CaptureMode } from '@payflowx/proto/authorization';
import { PaymentState } from '@payflowx/proto/payment';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decline } from './fake-authorization.ts';
import { lifecycleOf } from './lifecycle.ts';
import { type Platform, paymentRequest, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());
afterEach(() => platform.authorization.answerWith(undefined));

const ANY = {
  pageSize: 0,
  pageToken: '',
  accountId: '',
  state: PaymentState.UNSPECIFIED,
  currency: '',
  reference: '',
  createdAfter: undefined,
  createdBefore: undefined,
  amountMinMinor: undefined,
  amountMaxMinor: undefined,
};

/** Every response with a decision, to the sender. `by` reads it. */
async function answersWithDecisions(by: Platform['customer']) {
  const { client, customer, otherCustomer } = platform;
  const asSender = await life.callAs(customer);
  const asReader = await life.callAs(by);
  const request = paymentRequest({
    fromAccount: platform.accountOf(customer),
    toAccount: platform.accountOf(otherCustomer),
    captureMode: CaptureMode.MANUAL,
  });
  const created = await client.createPayment(request, asSender);
  const paymentId = created.payment?.id ?? '';
  const replayed = await client.createPayment(request, asSender);
  const item = {
    accessToken: await platform.tokenOf(customer),
    request: { ...request, requestId: newId('req') },
    traceparent: '',
    deadline: undefined,
  };
  const service = { id: 'svc_gateway', roles: ['service'] as const };
  const batch = await client.batchCreatePayments(
    { items: [item], sentAt: undefined },
    await life.callAs(service),
  );
  const captured = await life.capture(paymentId, {}, { by });
  return {
    created,
    replayed,
    batch,
    captured,
    got: await client.getPayment({ paymentId }, asReader),
    listed: await client.listPayments(ANY, asReader),
    steps: await client.listPaymentSteps({ paymentId }, asReader),
    simulated: await client.simulatePayment({ payment: request }, asReader),
  };
}

const written = (answer: unknown) =>
  JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? `${value}` : value));

describe('the sender of a payment', () => {
  it('sees neither the owner of the receiving account nor the rules, approved or declined', async () => {
    const { customer, otherCustomer, authorization, ownerOf } = platform;
    for (const [way, answer] of Object.entries(await answersWithDecisions(customer))) {
      expect(written(answer), way).not.toContain(otherCustomer.id);
      expect(written(answer), way).toContain('"checks":[{"name":"balance"');
      expect(written(answer), way).not.toContain('secret');
    }
    authorization.answerWith((item) => decline(item, 'RULE_DECLINED', ownerOf));
    const declined = await life.pay();
    expect(declined.decision).toMatchObject({
      code: 'RULE_DECLINED',
      fromOwnerId: customer.id,
      toOwnerId: '',
    });
  });
});

describe('an operator', () => {
  it('sees all of it', async () => {
    const { otherCustomer, operator } = platform;
    const { got, listed, steps, simulated } = await answersWithDecisions(operator);
    for (const answer of [got, listed, steps, simulated]) {
      expect(written(answer)).toContain(otherCustomer.id);
      expect(written(answer)).toContain('secret');
    }
  });
});
