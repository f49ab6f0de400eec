/** All database connections break again and again while steps are decided. */
import { PATIENCE_MS, whileConnectionsBreak } from '@payflowx/chassis/testing';
import { CaptureMode } from '@payflowx/proto/authorization';
import { expect, it } from 'vitest';
import { expectBooksToBalance, times } from './books.ts';
import { accountOf, captureOf, item, openAccount, startService } from './running-service.ts';

it('every step is decided once, and the service lives on', async () => {
  const service = await startService();
  const fromAccount = await openAccount(service, { balance: 10_000n });
  const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
  const payments = times(20, () => item({ fromAccount, toAccount, captureMode: CaptureMode.MANUAL }));

  const decide = async (payment: (typeof payments)[number]) => {
    const until = performance.now() + PATIENCE_MS;
    for (;;) {
      // A retry with the same ids returns the first decision.
      const [answer] = await service.authorize({ ...payment, deadline: undefined });
      if (answer?.decision) return answer.decision;
      if (performance.now() > until) throw new Error('There was no decision.');
    }
  };
  await whileConnectionsBreak(service.adminUrl, () =>
    Promise.all(
      payments.map(async (payment) => {
        expect((await decide(payment)).code).toBe('');
        await service.capture(captureOf(payment.paymentId));
      }),
    ),
  );
  const paid = payments.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
  expect((await accountOf(service, toAccount)).balance.postedMinor).toBe(paid);
  await expectBooksToBalance(service);
  await service.stop();
});
