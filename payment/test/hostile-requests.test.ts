import { callWithHostileRequests } from '@payflowx/chassis/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Platform, paymentRequest, startPlatform } from './payment-platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.stop());

it('no request makes an RPC fail', async () => {
  const { client, customer, tokenOf, target } = platform;
  const everyRole = { id: 'usr_all', roles: ['operator', 'auditor', 'service'] as const };
  const accessToken = await tokenOf(customer);
  const fromAccount = platform.accountOf(customer);
  const request = paymentRequest({ fromAccount, captureMode: 2 });
  const { payment } = await client.createPayment(request, { deadlineMs: 20_000, accessToken });
  const { calls, failures } = await callWithHostileRequests({
    target,
    service: 'payflowx.payment.v1.PaymentService',
    accessTokens: [accessToken, await tokenOf(everyRole)],
    // A payment that exists, so that its steps are reached.
    examples: { payment_id: payment?.id ?? '', from_account: fromAccount, access_token: accessToken },
  });
  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(1_000);
});
