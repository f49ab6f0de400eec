/** Races of captures, releases and refunds, through two instances on one database. */
import { newId } from '@payflowx/chassis';
import { CaptureMode, type Decision } from '@payflowx/proto/authorization';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectBooksToBalance, times } from './books.ts';
import {
  accountOf,
  captureOf,
  item,
  openAccount,
  type RunningService,
  refundOf,
  startService,
} from './running-service.ts';

let service: RunningService;
let now: () => Date;
beforeAll(async () => {
  now = () => new Date();
  service = await startService({ instances: 2, now: () => now() });
});
afterAll(() => service.stop());

const RACES = 1_000;
const AMOUNT = 100n;

/** As many holds of AMOUNT, spread over ten payers with the given limits. */
async function holds(count: number, { limits }: { limits?: { dailyMinor: bigint } } = {}) {
  const share = (BigInt(count) * AMOUNT) / 10n;
  const payers = await Promise.all(
    times(10, () => openAccount(service, { balance: share, limits: limits ?? { dailyMinor: share } })),
  );
  const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
  const payments = times(count, (n) =>
    item({
      fromAccount: payers[n % 10] as string,
      toAccount,
      amountMinor: AMOUNT,
      captureMode: CaptureMode.MANUAL,
      holdExpiresAt: new Date(now().getTime() + 3_600_000 + n),
    }),
  );
  for (let start = 0; start < count; start += 500) {
    const answers = await service.authorize(...payments.slice(start, start + 500));
    expect(new Set(answers.map(({ decision }) => decision?.code))).toEqual(new Set(['']));
  }
  return { payers, toAccount, paymentIds: payments.map(({ paymentId }) => paymentId) };
}

/** Counts each pair of decline codes; '' is an approval. */
function tally(pairs: [Decision | undefined, Decision | undefined][]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [one, other] of pairs) {
    const key = `${one?.code || 'approved'}, ${other?.code || 'approved'}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

/** Captured money is with the receiver and counts in the limits. The rest is as if it had never been held. */
async function expectOutcome(payers: string[], toAccount: string, captured: number) {
  const total = BigInt(captured) * AMOUNT;
  expect((await accountOf(service, toAccount)).balance.postedMinor).toBe(total);
  const accounts = await Promise.all(payers.map((id) => accountOf(service, id)));
  expect(accounts.reduce((sum, { balance }) => sum + balance.heldMinor, 0n)).toBe(0n);
  expect(accounts.reduce((sum, { usage }) => sum + usage.dailyMinor, 0n)).toBe(total);
  expect(accounts.reduce((sum, { usage }) => sum + usage.monthlyMinor, 0n)).toBe(total);
  expect(accounts.reduce((sum, { usage }) => sum + usage.dailyCount, 0)).toBe(captured);
  await expectBooksToBalance(service);
}

describe('a thousand times, both at once', () => {
  it('a capture and a cancel: exactly one wins', async () => {
    const { payers, toAccount, paymentIds } = await holds(RACES);
    const pairs = await Promise.all(
      paymentIds.map(async (paymentId, n) => {
        // The order of sending alternates, and the calls go to the two instances in turn.
        const steps = [() => service.capture(captureOf(paymentId)), () => service.cancel(paymentId)];
        if (n % 4 >= 2) steps.reverse();
        const answers = await Promise.all(steps.map((step) => step()));
        if (n % 4 >= 2) answers.reverse();
        return answers.map(({ decision }) => decision) as [Decision, Decision];
      }),
    );
    const counts = tally(pairs);
    const captured = counts['approved, HOLD_NOT_OPEN'] ?? 0;
    expect(counts).toEqual({
      'approved, HOLD_NOT_OPEN': captured,
      'HOLD_NOT_OPEN, approved': RACES - captured,
    });
    // Each side must win sometimes, or it was not a race.
    expect(captured).toBeGreaterThan(0);
    expect(captured).toBeLessThan(RACES);
    await expectOutcome(payers, toAccount, captured);
  });

  it('a capture and an expiry, while the expiry passes: exactly one wins in the end', async () => {
    // Far enough in the past that no call of the race is past its deadline.
    const start = Date.now() - 2 * 3_600_000;
    now = () => new Date(start);
    const { payers, toAccount, paymentIds } = await holds(RACES);
    // Each decision moves the clock a little, so that it passes the expiries of all holds during the race.
    let passed = 3_600_000 - 10;
    now = () => {
      passed = Math.min(passed + RACES / 20, 3_600_000 + RACES);
      return new Date(start + passed);
    };
    const pairs = await Promise.all(
      paymentIds.map(async (paymentId) => {
        const answers = await Promise.all([service.capture(captureOf(paymentId)), service.expire(paymentId)]);
        return answers.map(({ decision }) => decision) as [Decision, Decision];
      }),
    );
    expect(Object.keys(tally(pairs))).not.toContain('approved, approved');
    // A worker retries holds that had not expired at its first attempt.
    passed = 3_600_000 + RACES;
    const again = await Promise.all(paymentIds.map((paymentId) => service.expire(paymentId)));
    const winners = paymentIds.map((_, n) => {
      const [capture, expiry] = pairs[n] ?? [];
      return [capture, expiry, again[n]?.decision].map((decision) => decision?.code === '');
    });
    expect(winners.filter((won) => won.filter(Boolean).length !== 1)).toEqual([]);
    const captured = winners.filter(([capture]) => capture).length;
    expect(captured).toBeGreaterThan(0);
    expect(captured).toBeLessThan(RACES);
    now = () => new Date(start);
    await expectOutcome(payers, toAccount, captured);
    now = () => new Date();
  });
});

describe('many at once', () => {
  it('partial captures never take more than was held', async () => {
    const { payers, toAccount, paymentIds } = await holds(20);
    const answers = await Promise.all(
      paymentIds.flatMap((paymentId) =>
        times(15, () => service.capture(captureOf(paymentId, { amountMinor: 9n }))),
      ),
    );
    const codes = answers.map(({ decision }) => decision?.code);
    expect(codes.filter((code) => code === '').length).toBe(20 * 11);
    expect(codes.filter((code) => code === 'CAPTURE_EXCEEDS_HOLD').length).toBe(20 * 4);
    expect(answers.filter(({ remainingMinor }) => remainingMinor === 1n).length).toBe(20 * 5);
    expect((await accountOf(service, toAccount)).balance.postedMinor).toBe(20n * 99n);
    const held = await Promise.all(
      payers.map(async (id) => (await accountOf(service, id)).balance.heldMinor),
    );
    expect(held).toEqual(times(10, () => 2n));
    await expectBooksToBalance(service);
  });

  it('final captures of one hold: one wins', async () => {
    const { toAccount, paymentIds } = await holds(10);
    const answers = await Promise.all(
      paymentIds.flatMap((paymentId) =>
        times(10, (n) => service.capture(captureOf(paymentId, { amountMinor: BigInt(n + 1), final: true }))),
      ),
    );
    const won = answers.filter(({ decision }) => decision?.code === '');
    expect(won.length).toBe(10);
    const moved = won.map(({ decision }) => decision?.movements.at(-1)?.amountMinor ?? 0n);
    expect((await accountOf(service, toAccount)).balance.postedMinor).toBe(moved.reduce((a, b) => a + b));
    await expectBooksToBalance(service);
  });

  it('the same step is decided once, with one response for all', async () => {
    const { toAccount, paymentIds } = await holds(10);
    const steps = paymentIds.map((paymentId) => captureOf(paymentId, { amountMinor: 30n }));
    const answers = await Promise.all(
      steps.map((step) => Promise.all(times(10, () => service.capture(step)))),
    );
    for (const same of answers) expect(same).toEqual(times(10, () => same[0]));
    expect((await accountOf(service, toAccount)).balance.postedMinor).toBe(300n);
  });

  it('refunds never take more than the receiver has', async () => {
    const payer = await openAccount(service);
    const receiver = await openAccount(service, { ownerId: 'usr_bob', balance: 1_000n });
    const paymentId = newId('pay');
    const answers = await Promise.all(
      times(50, () => service.refund(refundOf({ paymentId, fromAccount: receiver, toAccount: payer }))),
    );
    const codes = answers.map(({ decision }) => decision?.code);
    expect(codes.filter((code) => code === '').length).toBe(10);
    expect(codes.filter((code) => code === 'INSUFFICIENT_BALANCE').length).toBe(40);
    expect((await accountOf(service, receiver)).balance.postedMinor).toBe(0n);
  });

  it('steps of all kinds between the same accounts end without a deadlock, and limits are exact', async () => {
    const accounts = await Promise.all(
      times(4, () => openAccount(service, { balance: 10_000n, limits: { dailyMinor: 1_000_000n } })),
    );
    const life = async (n: number) => {
      const [fromAccount, toAccount] = [accounts[n % 4], accounts[(n + 1 + (n % 3)) % 4]] as [string, string];
      const payment = item({ fromAccount, toAccount, captureMode: CaptureMode.MANUAL });
      const { paymentId } = payment;
      const [authorized] = await service.authorize(payment);
      expect(authorized?.decision?.code).toBe('');
      if (n % 3 === 0) return { from: fromAccount, used: 0n, end: await service.cancel(paymentId) };
      const capture = captureOf(paymentId, { amountMinor: 60n, final: true });
      const captured = await service.capture(capture);
      if (n % 3 === 1) return { from: fromAccount, used: 60n, end: captured };
      const back = { paymentId, fromAccount: toAccount, toAccount: fromAccount, amountMinor: 60n };
      return { from: fromAccount, used: 60n, end: await service.refund(refundOf(back)) };
    };
    const lives = await Promise.all(times(300, life));
    expect(lives.filter(({ end }) => end.decision?.code !== '')).toEqual([]);
    for (const id of accounts) {
      const mine = lives.filter(({ from }) => from === id);
      const { usage } = await accountOf(service, id);
      expect(usage.dailyMinor).toBe(mine.reduce((sum, { used }) => sum + used, 0n));
      expect(usage.dailyCount).toBe(mine.filter(({ used }) => used > 0n).length);
    }
    await expectBooksToBalance(service);
  });
});
