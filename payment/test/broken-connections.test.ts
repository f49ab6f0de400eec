/** All database connections break again and again while payments run. */
import { newId } from '@payflowx/chassis';
import { startOutboxRelay } from '@payflowx/chassis/postgres';
import { eventually, isOutcomeUnknown, testLog, whileConnectionsBreak } from '@payflowx/chassis/testing';
import { CaptureMode } from '@payflowx/proto/authorization';
import { PaymentState } from '@payflowx/proto/payment';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lifecycleOf } from './lifecycle.ts';
import { type Platform, startPlatform } from './payment-platform.ts';

const HOUR_MS = 3_600_000;

let platform: Platform;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());

/** A payment and its capture, each with a key, so that both can be requested any number of times. */
async function heldPayment() {
  const request = await platform.newRequest({ amountMinor: 1_000n, captureMode: CaptureMode.MANUAL });
  const captureId = newId('req');
  return async () => {
    const call = await life.callAs(platform.customer);
    const { payment: created } = await platform.client.createPayment(request, call);
    // A capture before the decision is refused, and its key would keep that response.
    if (created?.state === PaymentState.INITIATED) throw new Error('The payment is not decided yet.');
    const { payment } = await life.capture(created?.id ?? '', { requestId: captureId });
    expect(payment?.state).toBe(PaymentState.COMPLETED);
    return created?.id ?? '';
  };
}

/** Callers get a response, or an error that lets them retry. */
const REFUSALS = ['IDEMPOTENCY_IN_PROGRESS', 'INVALID_STATE'];
function isExpected(error: { code?: number; reason?: string }): boolean {
  return isOutcomeUnknown(error) || REFUSALS.includes(error.reason ?? '') || error.code === undefined;
}

it('every payment gets its one outcome, and the service and its relay live on', async () => {
  const published: unknown[] = [];
  const publish = async (parcels: unknown[]) => void published.push(...parcels);
  // Holds its lock on a connection of its own.
  const relay = await startOutboxRelay(
    { url: platform.databaseUrl, destination: 'payment-notifications', publish },
    testLog,
  );
  const payments = await Promise.all(Array.from({ length: 20 }, heldPayment));
  await whileConnectionsBreak(platform.adminUrl, async () => {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const results = await Promise.allSettled(payments.map((complete) => complete()));
      const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
      expect(errors.filter((error) => !isExpected(error))).toEqual([]);
    }
  });

  let passedMs = 0;
  for (const complete of payments) {
    const id = await eventually(async () => {
      passedMs += HOUR_MS;
      await platform.recover(passedMs);
      await platform.recoverOperations(passedMs);
      return complete();
    });
    expect((await life.events(id)).map(({ type }) => type)).toEqual([
      'payment.initiated',
      'payment.authorized',
      'payment.completed',
    ]);
  }
  await eventually(async () => expect(await relay.pending()).toBe(0n));
  expect(published.length).toBeGreaterThan(0);
  await relay.stop();
});
