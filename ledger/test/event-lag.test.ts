import { createTestIdentity, fakeService, startTestServer } from '@payflowx/chassis/testing';
import { GetRecoveryStatusResponse, PaymentServiceService } from '@payflowx/proto/payment';
import { expect, it } from 'vitest';
import { connectEventLag } from '../src/clients/event-lag.ts';

it('counts the events in the topic, in payment’s outbox, and those that the broker refused', async () => {
  const backlog = (destination: string, waitingCount: bigint, refusedCount: bigint) => ({
    destination,
    waitingCount,
    refusedCount,
    oldestAt: undefined,
  });
  const outbox = [backlog('payment-events', 5n, 1n), backlog('payment-notifications', 70n, 0n)];
  const getRecoveryStatus = async () => ({ ...GetRecoveryStatusResponse.decode(new Uint8Array()), outbox });
  const { verifier } = createTestIdentity();
  const payment = await startTestServer(verifier, [
    fakeService(PaymentServiceService, { getRecoveryStatus }),
  ]);
  const settings = { target: payment.target, token: async () => 'a token' };

  const lag = connectEventLag({ ...settings, topicLag: async () => 3n });
  expect(await lag.count()).toBe(9n);
  await payment.stop();
  await expect(lag.count()).rejects.toMatchObject({ code: 14 });
  lag.close();
});
