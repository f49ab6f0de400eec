/**
 * Steps that exclude each other, requested at once through two instances. Authorization decides, and both callers get the right
 * outcome.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { newId } from '@payflowx/chassis';
import { PaymentState, RefundState } from '@payflowx/proto/payment';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { lifecycleOf } from './lifecycle.ts';
import { type Platform, type Server, startPlatform } from './payment-platform.ts';

let platform: Platform;
let second: Server;
let life: ReturnType<typeof lifecycleOf>;
beforeAll(async () => {
  platform = await startPlatform();
  second = await platform.startServer();
  life = lifecycleOf(platform);
});
afterAll(() => platform?.stop());
afterEach(() => platform.authorization.setClockAhead(0));

const RACES = Number(process.env.RACES ?? 300);
const AT_ONCE = 100;
/** Longer than any hold here. */
const LATER_MS = 120_000;

/** The number of races, and of concurrent ones. */
async function repeat(race: (index: number) => Promise<string>): Promise<Map<string, number>> {
  const winners = new Map<string, number>();
  for (let begun = 0; begun < RACES; begun += AT_ONCE) {
    const wave = Array.from({ length: AT_ONCE }, (_, index) => race(begun + index));
    for (const winner of await Promise.all(wave)) winners.set(winner, (winners.get(winner) ?? 0) + 1);
  }
  return winners;
}

/** Varies the order and the instances of the two requests. */
const scattered = () => pause(Math.random() * 20);
const anInstance = () => (Math.random() < 0.5 ? platform : second);

it('captures against cancels: one of the two succeeds, and the other gets the resulting state', async () => {
  const winners = await repeat(async () => {
    const { id } = await life.hold();
    const [captureKey, cancelKey] = [newId('req'), newId('req')];
    await scattered();
    const [captured, cancelled] = await Promise.all([
      life.definite(() => life.capture(id, { requestId: captureKey }, { via: anInstance() })),
      scattered().then(() =>
        life.definite(() => life.cancel(id, { requestId: cancelKey, via: anInstance() })),
      ),
    ]);
    const { state } = await life.get(id);
    const wasCaptured = state === PaymentState.COMPLETED;
    const [winner, loser] = wasCaptured ? [captured, cancelled] : [cancelled, captured];
    expect(winner).toMatchObject({ payment: { state } });
    expect(loser).toMatchObject({
      reason: 'INVALID_STATE',
      metadata: { state: wasCaptured ? 'COMPLETED' : 'CANCELLED' },
    });
    await life.expectAmountsToAgree(id);
    return wasCaptured ? 'capture' : 'cancel';
  });
  expect([...winners.keys()].sort()).toEqual(['cancel', 'capture']);
});

it('captures against expiries by two workers: a hold ends once', async () => {
  const winners = new Map<string, number>();
  for (let begun = 0; begun < RACES; begun += AT_ONCE) {
    platform.authorization.setClockAhead(0);
    const held = await Promise.all(Array.from({ length: AT_ONCE }, () => life.hold()));
    const workers = [expiryWorker(platform), expiryWorker(second)];
    const isOver = Promise.withResolvers<void>();
    // All holds end as soon as one capture has succeeded. Some captures are sent only then.
    const captures = held.map(async ({ id }, index) => {
      const requestId = newId('req');
      if (index % 3 === 2) await isOver.promise;
      await scattered();
      const captured = await life.definite(() => life.capture(id, { requestId }, { via: anInstance() }));
      platform.authorization.setClockAhead(LATER_MS);
      for (const worker of workers) worker.start();
      isOver.resolve();
      const { state } = await life.get(id);
      if ('reason' in captured) {
        expect(captured).toMatchObject({ reason: 'INVALID_STATE', metadata: { state: 'EXPIRED' } });
        expect(state).toBe(PaymentState.EXPIRED);
      } else {
        expect(captured).toMatchObject({ payment: { state: PaymentState.COMPLETED } });
        expect(state).toBe(PaymentState.COMPLETED);
      }
      await life.expectAmountsToAgree(id);
      const winner = state === PaymentState.EXPIRED ? 'expiry' : 'capture';
      winners.set(winner, (winners.get(winner) ?? 0) + 1);
    });
    await Promise.all(captures);
    for (const worker of workers) await worker.stop();
  }
  expect([...winners.keys()].sort()).toEqual(['capture', 'expiry']);
});

it('1,000 times two full refunds at once: one succeeds', async () => {
  await repeat(async () => {
    const { id } = await life.pay();
    const answers = await Promise.all(
      [platform, second].map(async (via) => {
        const requestId = newId('req');
        await scattered();
        return life.definite(() => life.refund(id, { requestId }, { via }));
      }),
    );
    const refused = answers.filter((answer) => 'reason' in answer);
    const done = answers.filter((answer) => !('reason' in answer));
    expect(done).toMatchObject([{ refund: { state: RefundState.COMPLETED, amountMinor: 1_000n } }]);
    expect(refused).toHaveLength(1);
    expect(['REFUND_EXCEEDS_CAPTURED', 'INVALID_STATE']).toContain(refused[0]?.reason);
    expect(await life.get(id)).toMatchObject({ state: PaymentState.REFUNDED, refundedMinor: 1_000n });
    await life.expectAmountsToAgree(id);
    return 'one';
  });
});

it('for any concurrent steps of one payment, its amounts agree', async () => {
  const amountMinor = fc.option(fc.bigInt({ min: 1n, max: 700n }), { nil: undefined });
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('capture' as const), amountMinor, final: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('refund' as const), amountMinor }) },
  );
  const rounds = fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(rounds, async (rounds) => {
      platform.authorization.setClockAhead(0);
      const { id } = await life.hold();
      const worker = expiryWorker();
      for (const round of rounds) {
        await Promise.all(
          round.map(async (asked): Promise<unknown> => {
            const requestId = newId('req');
            const via = anInstance();
            if (asked.do === 'expire') {
              platform.authorization.setClockAhead(LATER_MS);
              return worker.start();
            }
            if (asked.do === 'cancel') return life.definite(() => life.cancel(id, { requestId, via }));
            if (asked.do === 'refund') {
              const { amountMinor } = asked;
              return life.definite(() => life.refund(id, { requestId, amountMinor }, { via }));
            }
            const { amountMinor, final } = asked;
            return life.definite(() => life.capture(id, { requestId, amountMinor, final }, { via }));
          }),
        );
      }
      // An expiry may have waited for a capture.
      while (await hasPending(id)) await platform.recoverOperations(3_600_000);
      await worker.stop();
      await life.expectAmountsToAgree(id);
    }),
    { numRuns: 60 },
  );
});

/**
 * Runs the expiry repeatedly, because one run is not enough. It skips a payment that a capture has locked, and a capture that
 * came too late waits until a later run has ended the hold.
 */
function expiryWorker(server?: Server) {
  let isOver = false;
  let rounds: Promise<void> | undefined;
  const work = async () => {
    while (!isOver) {
      await (server ?? anInstance()).expire(LATER_MS);
      await pause(5);
    }
  };
  return {
    start() {
      rounds ??= work();
    },
    async stop() {
      isOver = true;
      await rounds;
    },
  };
}

async function hasPending(paymentId: string): Promise<boolean> {
  const rows = await platform.db
    .selectFrom('operations')
    .select('id')
    .where('payment_id', '=', paymentId)
    .where('state', '=', 'PENDING')
    .execute();
  return rows.length > 0;
}
