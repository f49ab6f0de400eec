import { PayFlowXError } from '@payflowx/client';
import { expect, it } from 'vitest';
import { atOnce } from '../src/at-once.ts';
import {
  accountOf,
  eventually,
  openAccount,
  type Payment,
  peopleAtBoth,
  provenLedger,
  readDemo,
} from '../src/platform.ts';

const demo = readDemo();
const [first, second] = peopleAtBoth(demo);

/** Payment’s own tests run hundreds of each. These show that gateways and services in between change nothing. */
const RACES = Number(process.env.RACES ?? 100);
const AMOUNT = 7;
/** Number of concurrent races. */
const SIDE_BY_SIDE = 64;

/** Number of payments that use up one account. */
async function pay(more: { capture: 'automatic' | 'manual'; hold_seconds?: number }) {
  const from = await openAccount(first.operator, first.alice.user, RACES * AMOUNT);
  const to = await openAccount(first.operator, first.bob.user, 0);
  const body = { from_account: from.id, to_account: to.id, amount: AMOUNT, currency: 'EUR', ...more };
  const make = async () => (await first.alice.api.post('/v1/payments', { body })).data;
  return { from, to, make };
}

/** The state after the operation. For a refusal, the state that prevented it. */
interface Result {
  won: boolean;
  state: string | undefined;
}

async function resultOf(request: Promise<{ data: { state: string } }>): Promise<Result> {
  return request.then(
    ({ data }) => ({ won: true, state: data.state }),
    (error: unknown) => {
      if (!(error instanceof PayFlowXError)) throw error;
      expect(error.status).toBeOneOf([409, 422]);
      expect(error.code).toBeOneOf(['INVALID_STATE', 'REFUND_EXCEEDS_CAPTURED']);
      return { won: false, state: error.problem.state };
    },
  );
}

/** The balance of payer and receiver, in every service. */
async function expectBooks(from: { id: string }, to: { id: string }, received: number): Promise<void> {
  const { auditor } = first;
  const left = RACES * AMOUNT - received;
  expect((await accountOf(auditor, from.id)).balance).toEqual({ posted: left, held: 0, available: left });
  expect((await accountOf(auditor, to.id)).balance).toEqual({
    posted: received,
    held: 0,
    available: received,
  });
  await eventually(async () => {
    for (const [{ id }, posted] of [
      [from, left],
      [to, received],
    ] as const) {
      const { data } = await auditor.api.get('/v1/ledger/accounts/{id}/balance', {
        params: { path: { id } },
      });
      expect(data).toMatchObject({ posted, pending: 0 });
    }
  });
  await provenLedger(auditor);
}

const races = Array.from({ length: RACES });
const nameOf = ({ id }: Payment) => ({ params: { path: { id } } });

it('between a capture and a cancel, through two gateways, has exactly one winner, each time', async () => {
  const { from, to, make } = await pay({ capture: 'manual' });
  const winners = await atOnce(races, SIDE_BY_SIDE, async (_, index) => {
    const payment = nameOf(await make());
    const [early, late] = index % 2 === 0 ? [first, second] : [second, first];
    const [captured, cancelled] = await Promise.all([
      resultOf(early.alice.api.post('/v1/payments/{id}/capture', { ...payment, body: {} })),
      resultOf(late.alice.api.post('/v1/payments/{id}/cancel', { ...payment, body: {} })),
    ]);
    expect([captured.won, cancelled.won].toSorted()).toEqual([false, true]);
    expect([captured.state, cancelled.state]).toEqual(
      captured.won ? ['COMPLETED', 'COMPLETED'] : ['CANCELLED', 'CANCELLED'],
    );
    return captured.won;
  });
  const captures = winners.filter(Boolean).length;
  console.log(`${captures} captured, ${RACES - captures} cancelled`);
  await expectBooks(from, to, captures * AMOUNT);
});

it('between a capture and the expiry of the hold has exactly one winner, each time', async () => {
  const { from, to, make } = await pay({ capture: 'manual', hold_seconds: 2 });
  const winners = await atOnce(races, 256, async (_, index) => {
    const payment = await make();
    // From one second before the end of the hold until just after it. A capture takes a moment to arrive.
    const moment = Date.parse(payment.expires_at ?? '') - 1_000 + (1_040 * index) / RACES;
    await new Promise((resolve) => setTimeout(resolve, moment - Date.now()));
    const { api } = (index % 2 === 0 ? first : second).alice;
    const captured = await resultOf(api.post('/v1/payments/{id}/capture', { ...nameOf(payment), body: {} }));
    expect(captured.state).toBe(captured.won ? 'COMPLETED' : 'EXPIRED');
    return captured.won;
  });
  const captures = winners.filter(Boolean).length;
  console.log(`${captures} captured, ${RACES - captures} expired`);
  await expectBooks(from, to, captures * AMOUNT);
});

it('between two full refunds, through two gateways, has exactly one winner, each time', async () => {
  const { from, to, make } = await pay({ capture: 'automatic' });
  // The receiver's account has exactly the money that is refunded.
  await atOnce(races, SIDE_BY_SIDE, async () => {
    const payment = nameOf(await make());
    const refunds = await Promise.all(
      [first, second].map(({ bob }) =>
        resultOf(bob.api.post('/v1/payments/{id}/refunds', { ...payment, body: {} })),
      ),
    );
    expect(refunds.map(({ won }) => won).toSorted()).toEqual([false, true]);
  });
  const query = { account_id: from.id, state: 'REFUNDED' as const, limit: 100 };
  const refunded = await Array.fromAsync(first.auditor.api.list('/v1/payments', { params: { query } }));
  expect(refunded.filter(({ amount_refunded }) => amount_refunded === AMOUNT).length).toBe(RACES);
  await expectBooks(from, to, 0);
});
