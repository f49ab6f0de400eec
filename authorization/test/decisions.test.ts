/** BatchAuthorize, one call at a time. */
import { status } from '@grpc/grpc-js';
import { fromRpcStatus } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import { CaptureMode, MovementKind, Outcome } from '@payflowx/proto/authorization';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  accountOf,
  deposit,
  HOLD_TTL_MS,
  item,
  openAccount,
  type RunningService,
  startService,
} from './running-service.ts';

let service: RunningService;
/** The service's clock; each test begins at the same time. */
let now: Date;

beforeAll(async () => {
  service = await startService({ now: () => now });
});
beforeEach(() => {
  now = new Date('2025-03-10T09:00:00Z');
});
afterAll(() => service.stop());

async function twoAccounts(alice: Parameters<typeof openAccount>[1] = {}) {
  const fromAccount = await openAccount(service, { balance: 1_000n, ...alice });
  const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
  // The next decision on these accounts is later than their last one, so the clock has to go on.
  now = new Date(now.getTime() + 10);
  return { fromAccount, toAccount };
}

const movementsOf = async (paymentId: string) => {
  const { rows } = await service.sql('select count(*)::int as n from decisions where payment_id = $1', [
    paymentId,
  ]);
  return rows[0].n as number;
};

describe('an automatic payment', () => {
  it('moves the money at once and returns the movement', async () => {
    const accounts = await twoAccounts();
    const [answer] = await service.authorize(item({ ...accounts, amountMinor: 300n }));
    expect(answer?.decision).toMatchObject({
      outcome: Outcome.APPROVED,
      code: '',
      movements: [{ kind: MovementKind.TRANSFER, ...accounts, amountMinor: 300n }],
      fromOwnerId: 'usr_alice',
      toOwnerId: 'usr_bob',
      decidedAt: now,
    });
    expect((await accountOf(service, accounts.fromAccount)).balance.postedMinor).toBe(700n);
    expect((await accountOf(service, accounts.toAccount)).balance.postedMinor).toBe(300n);
  });

  it('writes only the decision when it is declined', async () => {
    const accounts = await twoAccounts({ limits: { dailyMinor: 5_000n } });
    const before = await accountOf(service, accounts.fromAccount);
    const declined = item({ ...accounts, amountMinor: 1_001n });
    const [answer] = await service.authorize(declined);
    expect(answer?.decision).toMatchObject({
      outcome: Outcome.DECLINED,
      code: 'INSUFFICIENT_BALANCE',
      movements: [],
    });
    expect(answer?.decision?.message).not.toBe('');
    expect(await accountOf(service, accounts.fromAccount)).toEqual(before);
    expect(await movementsOf(declined.paymentId)).toBe(1);
  });
});

describe('a payment that is captured later', () => {
  it('holds the money until the default expiry of the platform', async () => {
    const accounts = await twoAccounts();
    const held = item({ ...accounts, amountMinor: 600n, captureMode: CaptureMode.MANUAL });
    const [answer] = await service.authorize(held);
    expect(answer?.decision?.movements).toMatchObject([{ kind: MovementKind.HOLD, amountMinor: 600n }]);
    expect((await accountOf(service, accounts.fromAccount)).balance).toEqual({
      postedMinor: 1_000n,
      heldMinor: 600n,
      availableMinor: 400n,
    });
    const { rows } = await service.sql(
      'select remaining, state, expires_at from holds where payment_id = $1',
      [held.paymentId],
    );
    expect(rows).toEqual([
      { remaining: '600', state: 'OPEN', expires_at: new Date(now.getTime() + HOLD_TTL_MS) },
    ]);
  });

  it('keeps other payments from spending held money', async () => {
    const accounts = await twoAccounts();
    const held = item({ ...accounts, amountMinor: 600n, captureMode: CaptureMode.MANUAL });
    const [, beyond] = await service.authorize(held, item({ ...accounts, amountMinor: 401n }));
    expect(beyond?.decision?.code).toBe('INSUFFICIENT_BALANCE');
  });
});

describe('a step that was decided before', () => {
  it('gets its first decision again, byte for byte, and moves nothing', async () => {
    const accounts = await twoAccounts();
    const payment = item({ ...accounts, amountMinor: 300n });
    const first = await service.authorize(payment);
    now = new Date('2025-03-12T00:00:00Z');
    expect(await service.authorize(payment)).toEqual(first);
    expect((await accountOf(service, accounts.fromAccount)).balance.postedMinor).toBe(700n);
  });

  it('gets its decline again even when there is enough money now', async () => {
    const accounts = await twoAccounts();
    const payment = item({ ...accounts, amountMinor: 1_500n });
    const first = await service.authorize(payment);
    await service.authorize(deposit(accounts.fromAccount, 1_000n));
    expect(await service.authorize(payment)).toEqual(first);
  });

  it('is decided once if one batch contains a duplicate', async () => {
    const accounts = await twoAccounts();
    const payment = item({ ...accounts, amountMinor: 300n });
    const [one, two] = await service.authorize(payment, payment);
    expect(one).toEqual(two);
    expect((await accountOf(service, accounts.fromAccount)).balance.postedMinor).toBe(700n);
  });

  it('is refused for another request, in the same batch and later', async () => {
    const accounts = await twoAccounts();
    const payment = item({ ...accounts, amountMinor: 300n });
    const other = { ...payment, amountMinor: 301n };
    const [first, sameBatch] = await service.authorize(payment, other);
    const [later] = await service.authorize(other);
    expect(first?.decision?.outcome).toBe(Outcome.APPROVED);
    for (const refused of [sameBatch, later]) {
      expect(refused?.error?.code).toBe(status.ALREADY_EXISTS);
      expect(refused?.error && fromRpcStatus(refused.error).reason).toBe('OPERATION_REUSED');
    }
  });

  it('gets its decision even past its deadline', async () => {
    const payment = item(await twoAccounts());
    const first = await service.authorize(payment);
    expect(await service.authorize({ ...payment, deadline: new Date(now.getTime() - 1) })).toEqual(first);
  });
});

describe('one item of a batch', () => {
  it('stays undecided past its deadline, and can be decided later', async () => {
    const accounts = await twoAccounts();
    const late = item({ ...accounts, deadline: now });
    const [missed, other] = await service.authorize(late, item(accounts));
    expect(missed?.error && fromRpcStatus(missed.error).reason).toBe('DEADLINE_PASSED');
    expect(other?.decision?.outcome).toBe(Outcome.APPROVED);
    expect(await movementsOf(late.paymentId)).toBe(0);
    const [again] = await service.authorize({ ...late, deadline: new Date(now.getTime() + 1) });
    expect(again?.decision?.outcome).toBe(Outcome.APPROVED);
  });

  it('is decided in time if the clocks differ: its deadline counts from its send time', async () => {
    for (const callersNow of [now.getTime() - 3_600_000, now.getTime() + 3_600_000]) {
      // Each clock needs an instance that does not know the caller yet: a change of a known clock counts as a delay at first.
      const fresh = await startService({ instances: 2, now: () => now });
      const accounts = {
        fromAccount: await openAccount(fresh, { balance: 1_000n }),
        toAccount: await openAccount(fresh, { ownerId: 'usr_bob' }),
      };
      const sentAt = new Date(callersNow);
      const inTime = item({ ...accounts, deadline: new Date(callersNow + 2_000) });
      const late = item({ ...accounts, deadline: sentAt });
      const { results, answeredAt } = await fresh.lastAuthorizationRpc.batchAuthorize(
        { items: [inTime, late], sentAt },
        { deadlineMs: PATIENCE_MS },
      );
      expect(results.map(({ result }) => result?.$case)).toEqual(['decision', 'error']);
      expect(answeredAt).toEqual(now);
      await fresh.stop();
    }
  });

  it('stays undecided if its message lay unread past its deadline', async () => {
    const accounts = await twoAccounts();
    const settings = { deadlineMs: 20_000 };
    await service.authorize(item(accounts));
    const sentAt = new Date(now.getTime() - 15_000);
    const unread = item({ ...accounts, deadline: new Date(sentAt.getTime() + 7_500) });
    const { results } = await service.authorizationRpc.batchAuthorize({ items: [unread], sentAt }, settings);
    const [result] = results.map(({ result }) => result);
    const error = result?.$case === 'error' ? fromRpcStatus(result.value) : undefined;
    expect(error?.reason).toBe('DEADLINE_PASSED');
    expect(await movementsOf(unread.paymentId)).toBe(0);
    const [next] = await service.authorize(item(accounts));
    expect(next?.decision?.outcome).toBe(Outcome.APPROVED);
  });

  it('gets all its violations, and the other items are decided', async () => {
    const accounts = await twoAccounts();
    const bad = item({
      ...accounts,
      toAccount: accounts.fromAccount,
      amountMinor: 0n,
      callerId: '',
      captureMode: 0,
    });
    const [refused, fine] = await service.authorize(bad, item(accounts));
    const error = fromRpcStatus(refused?.error ?? { code: 0, message: '', details: [] });
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT, reason: 'INVALID_ARGUMENT' });
    expect(error.violations.map(({ field }) => field)).toEqual([
      'to_account',
      'amount_minor',
      'capture_mode',
      'caller_id',
    ]);
    expect(fine?.decision?.outcome).toBe(Outcome.APPROVED);
  });

  it('fails alone if the database refuses its rows', async () => {
    const accounts = await twoAccounts();
    // A balance that no deposit could have made: a payment into it passes the cap.
    const full = await openAccount(service);
    await service.sql('update balances set posted = 9007199254740991 where account_id = $1', [full]);
    const [before, poison, after] = await service.authorize(
      item(accounts),
      item({ ...accounts, toAccount: full }),
      item(accounts),
    );
    expect(poison?.error?.code).toBe(status.INTERNAL);
    expect(poison?.error?.message).not.toMatch(/balances|constraint/);
    expect([before, after].map((answer) => answer?.decision?.outcome)).toEqual([
      Outcome.APPROVED,
      Outcome.APPROVED,
    ]);
    expect((await accountOf(service, accounts.fromAccount)).balance.postedMinor).toBe(800n);
    await service.sql('update balances set posted = 0 where account_id = $1', [full]);
  });
});

describe('limits', () => {
  it('decline with the limit, the amount used, and the reset time', async () => {
    const accounts = await twoAccounts({ limits: { dailyMinor: 500n } });
    await service.authorize(item({ ...accounts, amountMinor: 450n }));
    const [answer] = await service.authorize(item({ ...accounts, amountMinor: 51n }));
    expect(answer?.decision).toMatchObject({
      code: 'DAILY_LIMIT_EXCEEDED',
      limit: { limit: 500n, used: 450n, resetsAt: new Date('2025-03-11T00:00:00Z') },
    });
    const { usage } = await accountOf(service, accounts.fromAccount);
    expect(usage).toEqual({ dailyMinor: 450n, monthlyMinor: 450n, dailyCount: 1 });
  });

  it('of the day start again at midnight UTC; those of the month continue until its end', async () => {
    const accounts = await twoAccounts({ limits: { dailyMinor: 300n, monthlyMinor: 500n, dailyCount: 1 } });
    const pay = async (time: string, amountMinor: bigint) => {
      now = new Date(time);
      const [answer] = await service.authorize(item({ ...accounts, amountMinor }));
      return answer?.decision?.code;
    };
    expect(await pay('2025-03-30T23:59:59.998Z', 300n)).toBe('');
    expect(await pay('2025-03-30T23:59:59.999Z', 1n)).toBe('DAILY_LIMIT_EXCEEDED');
    expect(await pay('2025-03-31T00:00:00.000Z', 201n)).toBe('MONTHLY_LIMIT_EXCEEDED');
    expect(await pay('2025-03-31T00:00:00.001Z', 200n)).toBe('');
    expect((await accountOf(service, accounts.fromAccount)).usage).toEqual({
      dailyMinor: 200n,
      monthlyMinor: 500n,
      dailyCount: 1,
    });
    now = new Date('2025-04-01T00:00:00.000Z');
    expect((await accountOf(service, accounts.fromAccount)).usage).toEqual({
      dailyMinor: 0n,
      monthlyMinor: 0n,
      dailyCount: 0,
    });
    expect(await pay('2025-04-01T00:00:00.001Z', 300n)).toBe('');
  });
});
