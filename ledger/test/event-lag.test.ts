import {
  createTestIdentity,
  fakeService,
  startTestServer,
  testCertificates,
} from '@payflowx/chassis/testing';
import { AccountFigures, GetRecoveryStatusResponse, PaymentServiceService } from '@payflowx/proto/payment';
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
    fakeService(PaymentServiceService, { getRecoveryStatus }, { access: { services: ['ledger'] } }),
  ]);
  const settings = { target: payment.target, certificates: testCertificates('ledger') };

  const lag = connectEventLag({ ...settings, topicLag: async () => 3n });
  expect(await lag.count()).toBe(9n);
  await payment.stop();
  await expect(lag.count()).rejects.toMatchObject({ code: 14 });
  lag.close();
});

it('names the accounts that payment has not finished with, page by page', async () => {
  const line = (accountId: string, pendingCount: bigint) => ({
    ...AccountFigures.decode(new Uint8Array()),
    accountId,
    pendingCount,
  });
  const pages: Record<string, { accounts: AccountFigures[]; nextPageToken: string }> = {
    '': { accounts: [line('acct_a', 0n), line('acct_b', 1n)], nextPageToken: 'next' },
    next: { accounts: [line('acct_c', 2n)], nextPageToken: '' },
  };
  const asked: string[][] = [];
  const { verifier } = createTestIdentity();
  const payment = await startTestServer(verifier, [
    fakeService(
      PaymentServiceService,
      {
        async listAccountFigures({ accountIds, pageToken }) {
          asked.push(accountIds);
          return pages[pageToken] ?? { accounts: [], nextPageToken: '' };
        },
      },
      { access: { services: ['ledger'] } },
    ),
  ]);
  const lag = connectEventLag({
    ...{ target: payment.target, certificates: testCertificates('ledger') },
    topicLag: async () => 0n,
  });
  const ids = ['acct_a', 'acct_b', 'acct_c'];
  expect(await lag.unfinishedAmong(ids)).toEqual(new Set(['acct_b', 'acct_c']));
  expect(asked).toEqual([ids, ids]);
  await payment.stop();
  lag.close();
});
