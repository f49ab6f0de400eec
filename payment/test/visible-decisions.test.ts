/** A decision names the owner of the other account. Customers never see that owner, in any response that has a decision. */
import { newId } from '@payflowx/chassis';
import { CaptureMode, RuleAction } from '@payflowx/proto/authorization';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lifecycleOf } from './lifecycle.ts';
import { ANY_PAYMENTS, CALL, type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
  await platform.authorization.makeRule({
    name: 'secret',
    expression: 'payment.amount > 1',
    action: RuleAction.SHADOW,
  });
});
afterAll(() => platform?.stop());

/** Every response with a decision, to the sender. `by` reads it. */
async function answersWithDecisions(by: Platform['customer']) {
  const { client, customer } = platform;
  const asSender = await life.callAs(customer);
  const asReader = await life.callAs(by);
  const request = await platform.newRequest({ captureMode: CaptureMode.MANUAL });
  const created = await client.createPayment(request, asSender);
  const paymentId = created.payment?.id ?? '';
  const replayed = await client.createPayment(request, asSender);
  const item = {
    accessToken: await platform.tokenOf(customer),
    request: { ...request, requestId: newId('req') },
    traceparent: '',
    deadline: undefined,
  };
  const batch = await client.batchCreatePayments({ items: [item], sentAt: undefined }, CALL);
  const captured = await life.capture(paymentId, {}, { by });
  return {
    created,
    replayed,
    batch,
    captured,
    got: await client.getPayment({ paymentId }, asReader),
    listed: await client.listPayments(ANY_PAYMENTS, asReader),
    steps: await client.listPaymentSteps({ paymentId }, asReader),
    simulated: await client.simulatePayment({ payment: request }, asReader),
  };
}

const written = (answer: unknown) =>
  JSON.stringify(answer, (_, value) => (typeof value === 'bigint' ? `${value}` : value));

describe('the sender of a payment', () => {
  it('sees neither the owner of the receiving account nor the rules, approved or declined', async () => {
    const { customer, otherCustomer, authorization } = platform;
    for (const [way, answer] of Object.entries(await answersWithDecisions(customer))) {
      expect(written(answer), way).not.toContain(otherCustomer.id);
      expect(written(answer), way).toContain('{"name":"balance"');
      expect(written(answer), way).not.toContain('secret');
    }
    await authorization.makeRule({
      name: 'secret, too',
      expression: 'payment.amount == 4711',
      action: RuleAction.DECLINE,
    });
    const declined = await life.pay({ amountMinor: 4_711n });
    expect(declined.decision).toMatchObject({
      code: 'RULE_DECLINED',
      fromOwnerId: customer.id,
      toOwnerId: '',
    });
    expect(written(declined)).not.toContain('secret');
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
