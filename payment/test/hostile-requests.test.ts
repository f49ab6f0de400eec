import { randomBytes } from 'node:crypto';
import { newId } from '@payflowx/chassis';
import { callWithHostileRequests } from '@payflowx/chassis/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Platform, startPlatform } from './payment-platform.ts';

let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.stop());

it('no request makes an RPC fail', async () => {
  const { client, customer, tokenOf, target } = platform;
  const everyRole = { id: 'usr_all', roles: ['operator', 'auditor'] as const };
  const accessToken = await tokenOf(customer);
  const request = await platform.newRequest({ captureMode: 2 });
  const { fromAccount } = request;
  const { payment } = await client.createPayment(request, { deadlineMs: 20_000, accessToken });
  const hostile = {
    target,
    service: 'payflowx.payment.v1.PaymentService',
    accessTokens: [accessToken, await tokenOf(everyRole)],
    // A payment that exists, so that its steps are reached.
    examples: { payment_id: payment?.id ?? '', from_account: fromAccount, access_token: accessToken },
  };
  for (const as of ['gateway', 'ledger'] as const) {
    const { calls, failures } = await callWithHostileRequests({ ...hostile, as });
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThan(1_000);
  }
});

it.each([
  ['description', 'd'.repeat(2_001)],
  ['traceparent', '0'.repeat(513)],
  ['metadata', { order: randomBytes(60_000).toString('hex') }],
])('the database refuses a payment with a %s beyond its limit', async (column, value) => {
  const { client, customer, db, tokenOf } = platform;
  const request = await platform.newRequest();
  await client.createPayment(request, { deadlineMs: 20_000, accessToken: await tokenOf(customer) });
  const changed = JSON.stringify({ id: newId('pay'), [column]: value });
  const copy = sql`insert into payments
    select (jsonb_populate_record(payments, ${changed}::jsonb)).* from payments limit 1`;
  await expect(copy.execute(db)).rejects.toThrow('payments_texts_limited');
});
