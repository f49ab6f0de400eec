/** Holds: captured, released, expired; and refunds. One call at a time, through two instances. */
import { status } from '@grpc/grpc-js';
import { newId } from '@payflowx/chassis';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import {
  CaptureMode,
  type Decision,
  MovementKind,
  Outcome,
  ReleaseCause,
} from '@payflowx/proto/authorization';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  accountOf,
  cancelOf,
  captureOf,
  deposit,
  expiryOf,
  HOLD_TTL_MS,
  item,
  openAccount,
  type RunningService,
  refundOf,
  startService,
} from './running-service.ts';

let service: RunningService;
/** The service's clock; each test begins at the same time. */
let now: Date;

beforeAll(async () => {
  service = await startService({ instances: 2, now: () => now });
});
beforeEach(() => {
  now = new Date('2025-03-10T09:00:00Z');
});
afterAll(() => service.stop());

/** 600 of Alice's 1,000 held for Bob. */
async function heldPayment(alice: Parameters<typeof openAccount>[1] = {}) {
  const fromAccount = await openAccount(service, { balance: 1_000n, ...alice });
  const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
  const payment = item({ fromAccount, toAccount, amountMinor: 600n, captureMode: CaptureMode.MANUAL });
  const [answer] = await service.authorize(payment);
  expect(answer?.decision?.code).toBe('');
  const expiresAt = answer?.decision?.holdExpiresAt as Date;
  // The next decision on these accounts is later than their last one, so the clock has to go on.
  now = new Date(now.getTime() + 10);
  return { paymentId: payment.paymentId, fromAccount, toAccount, expiresAt };
}

const summary = (decision: Decision | undefined) => ({
  code: decision?.code,
  movements: decision?.movements.map(({ kind, amountMinor }) => [kind, amountMinor]),
});
const { RELEASE, TRANSFER } = MovementKind;
const moneyOf = async (accountId: string) => {
  const { balance } = await accountOf(service, accountId);
  return [balance.postedMinor, balance.heldMinor];
};
const refusal = (code: status, reason: string) => expect.objectContaining({ code, reason });

describe('held money', () => {
  it('is captured in parts, and the final capture releases the rest', async () => {
    const { paymentId, fromAccount, toAccount } = await heldPayment();
    const first = await service.capture(captureOf(paymentId, { amountMinor: 100n }));
    expect(summary(first.decision)).toEqual({
      code: '',
      movements: [
        [RELEASE, 100n],
        [TRANSFER, 100n],
      ],
    });
    expect(first).toMatchObject({
      remainingMinor: 500n,
      decision: { fromOwnerId: 'usr_alice', toOwnerId: 'usr_bob', decidedAt: now },
    });
    expect(await moneyOf(fromAccount)).toEqual([900n, 500n]);

    const last = await service.capture(captureOf(paymentId, { amountMinor: 200n, final: true }));
    expect(summary(last.decision).movements).toEqual([
      [RELEASE, 500n],
      [TRANSFER, 200n],
    ]);
    expect(last.remainingMinor).toBe(0n);
    expect(await moneyOf(fromAccount)).toEqual([700n, 0n]);
    expect(await moneyOf(toAccount)).toEqual([300n, 0n]);

    const beyond = await service.capture(captureOf(paymentId));
    expect(beyond.decision).toMatchObject({
      outcome: Outcome.DECLINED,
      code: 'HOLD_NOT_OPEN',
      movements: [],
    });
  });

  it('is not captured beyond the held amount', async () => {
    const { paymentId, fromAccount } = await heldPayment();
    const { decision, remainingMinor } = await service.capture(captureOf(paymentId, { amountMinor: 601n }));
    expect(decision?.code).toBe('CAPTURE_EXCEEDS_HOLD');
    expect(remainingMinor).toBe(600n);
    expect(decision?.checks.at(-1)).toEqual({
      name: 'held_amount',
      passed: false,
      inputs: { amount: '601', remaining: '600' },
    });
    expect(await moneyOf(fromAccount)).toEqual([1_000n, 600n]);
  });

  it('is expired from its last moment on, even before any worker has released it, and then it can only expire', async () => {
    const { paymentId, fromAccount, expiresAt } = await heldPayment();
    now = new Date(expiresAt.getTime() - 1);
    const early = await service.expire(paymentId);
    expect(early).toMatchObject({ decision: { code: 'HOLD_NOT_EXPIRED' }, expiresAt });
    now = expiresAt;
    const late = await service.capture(captureOf(paymentId));
    expect(late.decision).toMatchObject({
      code: 'HOLD_NOT_OPEN',
      message: `The hold of this payment expired at ${now.toISOString()}.`,
    });
    expect(summary((await service.expire(paymentId)).decision).movements).toEqual([[RELEASE, 600n]]);
    expect(await moneyOf(fromAccount)).toEqual([1_000n, 0n]);
    expect((await service.expire(paymentId)).decision?.code).toBe('HOLD_NOT_OPEN');
  });

  it('with an early expiry request expires later under the same id, and that decision is stored', async () => {
    const { paymentId, fromAccount } = await heldPayment();
    const expiry = expiryOf(paymentId);
    const decisionsKept = async () => {
      const { rows } = await service.sql('SELECT FROM decisions WHERE operation_id = $1', [
        expiry.operationId,
      ]);
      return rows.length;
    };
    for (const passedMs of [10, 20]) {
      now = new Date(now.getTime() + passedMs);
      const { decision } = await service.release(expiry);
      expect(decision).toMatchObject({ code: 'HOLD_NOT_EXPIRED', decidedAt: now });
      expect(await decisionsKept()).toBe(0);
    }
    now = new Date(now.getTime() + HOLD_TTL_MS);
    const first = await service.release(expiry);
    expect(first).toMatchObject({ decision: { code: '' }, expiresAt: undefined });
    expect(await service.release(expiry)).toEqual(first);
    expect(await decisionsKept()).toBe(1);
    expect(await moneyOf(fromAccount)).toEqual([1_000n, 0n]);
  });

  it('lasts the requested seconds by the clock of this service, whatever the clock of the caller shows', async () => {
    const fromAccount = await openAccount(service, { balance: 1_000n });
    const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
    for (const callersNow of [now.getTime() + 3_600_000, now.getTime() - 3_600_000]) {
      const holdExpiresAt = new Date(callersNow + 20_000);
      const accounts = { fromAccount, toAccount, captureMode: CaptureMode.MANUAL };
      const held = item({ ...accounts, holdSeconds: 20, holdExpiresAt });
      const [first] = await service.authorize(held);
      const decidedAt = first?.decision?.decidedAt?.getTime() ?? 0;
      expect(decidedAt - now.getTime()).toBeLessThan(10);
      const endsAt = new Date(decidedAt + 20_000);
      expect(first?.decision?.holdExpiresAt).toEqual(endsAt);
      now = new Date(now.getTime() + 5_000);
      expect((await service.authorize(held))[0], 'asked again').toEqual(first);
      expect((await service.expire(held.paymentId)).expiresAt).toEqual(endsAt);
    }
  });

  it('is cancelled and expires also after a capture', async () => {
    const [cancelled, expired] = [await heldPayment(), await heldPayment()];
    for (const { paymentId } of [cancelled, expired])
      await service.capture(captureOf(paymentId, { amountMinor: 1n }));
    expect((await service.cancel(cancelled.paymentId)).decision?.code).toBe('');
    now = expired.expiresAt;
    expect((await service.expire(expired.paymentId)).decision?.code).toBe('');
    for (const { fromAccount } of [cancelled, expired])
      expect(await moneyOf(fromAccount)).toEqual([999n, 0n]);
  });

  it('can be captured and released while its payer is frozen', async () => {
    const [one, two] = [await heldPayment(), await heldPayment()];
    for (const { fromAccount } of [one, two]) {
      await service.sql("update balances set state = 'FROZEN' where account_id = $1", [fromAccount]);
    }
    expect((await service.capture(captureOf(one.paymentId))).decision?.code).toBe('');
    expect((await service.cancel(two.paymentId)).decision?.code).toBe('');
  });

  it('of an unknown payment is not found, for any step', async () => {
    const unknown = newId('pay');
    const automatic = item(await heldPayment());
    await service.authorize({ ...automatic, paymentId: unknown, operationId: unknown });
    for (const paymentId of [unknown, 'pay_never']) {
      for (const attempt of [() => service.capture(captureOf(paymentId)), () => service.cancel(paymentId)]) {
        await expect(attempt()).rejects.toEqual(refusal(status.NOT_FOUND, 'HOLD_NOT_FOUND'));
      }
    }
  });
});

describe('the limits of a payer', () => {
  const limits = { dailyMinor: 10_000n };

  it('do not count a cancelled payment', async () => {
    const { paymentId, fromAccount } = await heldPayment({ limits });
    await service.cancel(paymentId);
    expect((await accountOf(service, fromAccount)).usage).toEqual({
      dailyMinor: 0n,
      monthlyMinor: 0n,
      dailyCount: 0,
    });
  });

  it('count the final captured amount, as one payment', async () => {
    const { paymentId, fromAccount } = await heldPayment({ limits });
    await service.capture(captureOf(paymentId, { amountMinor: 250n, final: true }));
    expect((await accountOf(service, fromAccount)).usage).toEqual({
      dailyMinor: 250n,
      monthlyMinor: 250n,
      dailyCount: 1,
    });
  });

  it('get nothing back for a window that is over', async () => {
    now = new Date('2025-03-10T23:59:30Z');
    const { paymentId, fromAccount, toAccount } = await heldPayment({ limits });
    now = new Date('2025-03-11T00:00:10Z');
    await service.authorize(item({ fromAccount, toAccount, amountMinor: 100n }));
    await service.cancel(paymentId);
    expect((await accountOf(service, fromAccount)).usage).toEqual({
      dailyMinor: 100n,
      monthlyMinor: 100n,
      dailyCount: 1,
    });
  });

  it('count days in the time zone of the account, and return their end there', async () => {
    // 23:00 in Havana on the eve of summer time. That night has no midnight: the day begins at 01:00.
    now = new Date('2025-03-09T04:00:00Z');
    const timeZone = 'America/Havana';
    const there = { limits: { dailyMinor: 650n, monthlyMinor: 10_000n }, timeZone };
    const { fromAccount, toAccount } = await heldPayment(there);
    const [beyond] = await service.authorize(item({ fromAccount, toAccount, amountMinor: 51n }));
    expect(beyond?.decision).toMatchObject({
      code: 'DAILY_LIMIT_EXCEEDED',
      limit: { limit: 650n, used: 600n, resetsAt: new Date('2025-03-09T05:00:00Z') },
    });
    now = new Date('2025-03-09T05:00:00Z');
    const [anew] = await service.authorize(item({ fromAccount, toAccount, amountMinor: 51n }));
    expect(anew?.decision?.code).toBe('');
    expect((await accountOf(service, fromAccount)).usage).toMatchObject({
      dailyMinor: 51n,
      monthlyMinor: 651n,
    });
  });
});

describe('a refund', () => {
  it('comes from the available money of the receiver, does not reduce its limits, and may be partial', async () => {
    const fromAccount = await openAccount(service, { balance: 1_000n, limits: { dailyMinor: 5_000n } });
    const toAccount = await openAccount(service, { ownerId: 'usr_bob' });
    const payment = item({ fromAccount, toAccount, amountMinor: 300n });
    await service.authorize(payment);
    const back = (amountMinor: bigint) =>
      service.refund(
        refundOf({
          paymentId: payment.paymentId,
          fromAccount: toAccount,
          toAccount: fromAccount,
          amountMinor,
        }),
      );
    expect(summary((await back(100n)).decision)).toEqual({ code: '', movements: [[TRANSFER, 100n]] });
    expect((await back(201n)).decision?.code).toBe('INSUFFICIENT_BALANCE');
    expect((await back(200n)).decision).toMatchObject({ fromOwnerId: 'usr_bob', toOwnerId: 'usr_alice' });
    expect(await moneyOf(fromAccount)).toEqual([1_000n, 0n]);
    expect((await accountOf(service, fromAccount)).usage.dailyMinor).toBe(300n);
  });

  it('leaves the platform if the money came from outside', async () => {
    const toAccount = await openAccount(service);
    const paidIn = deposit(toAccount, 500n);
    await service.authorize(paidIn);
    const { decision } = await service.refund(
      refundOf({
        paymentId: paidIn.paymentId,
        fromAccount: toAccount,
        toAccount: 'external:EUR',
        amountMinor: 500n,
      }),
    );
    expect(decision).toMatchObject({ code: '', toOwnerId: '' });
    expect(await moneyOf(toAccount)).toEqual([0n, 0n]);
  });
});

describe('a step that was decided before', () => {
  it('gets its first response again, with the amount held then, and changes nothing', async () => {
    const { paymentId, fromAccount, toAccount } = await heldPayment();
    const capture = captureOf(paymentId, { amountMinor: 100n });
    const refund = refundOf({ paymentId, fromAccount: toAccount, toAccount: fromAccount, amountMinor: 60n });
    const beyond = captureOf(paymentId, { amountMinor: 600n });
    const first = [
      await service.capture(capture),
      await service.refund(refund),
      await service.capture(beyond),
      await service.capture(captureOf(paymentId, { final: true, amountMinor: 100n })),
    ];
    const [money, holds] = [await moneyOf(fromAccount), await service.sql('select * from holds order by 1')];
    now = new Date(now.getTime() + HOLD_TTL_MS);
    const deadline = new Date(now.getTime() - 1);
    expect([
      await service.capture({ ...capture, deadline }),
      await service.refund({ ...refund, deadline }),
      await service.capture({ ...beyond, deadline }),
    ]).toEqual(first.slice(0, 3));
    expect(await moneyOf(fromAccount)).toEqual(money);
    expect((await service.sql('select * from holds order by 1')).rows).toEqual(holds.rows);
  });

  it('is refused for another request, also one of another kind', async () => {
    const { paymentId, fromAccount, toAccount } = await heldPayment();
    const capture = captureOf(paymentId, { amountMinor: 100n });
    const { operationId } = capture;
    await service.capture(capture);
    const reused = refusal(status.ALREADY_EXISTS, 'OPERATION_REUSED');
    const back = { fromAccount: toAccount, toAccount: fromAccount };
    for (const attempt of [
      () => service.capture({ ...capture, amountMinor: 101n }),
      () => service.capture({ ...capture, final: true }),
      () => service.release({ ...cancelOf(paymentId), operationId }),
      () => service.release({ ...expiryOf(paymentId), operationId }),
      () => service.refund(refundOf({ paymentId, operationId, ...back })),
    ]) {
      await expect(attempt()).rejects.toEqual(reused);
    }
    const [authorized] = await service.authorize(item({ paymentId, operationId, fromAccount, toAccount }));
    expect(authorized?.error?.code).toBe(status.ALREADY_EXISTS);
  });

  it('stays undecided past the deadline of its call', async () => {
    const { paymentId } = await heldPayment();
    const late = captureOf(paymentId);
    const before = now;
    now = new Date(Date.now() + 2 * PATIENCE_MS);
    await expect(service.captureOnce(late)).rejects.toEqual(
      refusal(status.DEADLINE_EXCEEDED, 'DEADLINE_PASSED'),
    );
    now = before;
    expect((await service.capture(late)).decision?.code).toBe('');
  });
});

it('an invalid request gets all its violations', async () => {
  const fields = async (attempt: Promise<unknown>) => {
    const error = await attempt.then(
      () => undefined,
      (caught) => caught,
    );
    expect(error).toEqual(refusal(status.INVALID_ARGUMENT, 'INVALID_ARGUMENT'));
    return error.violations.map(({ field }: { field: string }) => field);
  };
  const nothing = { paymentId: '', operationId: '', deadline: undefined };
  expect(await fields(service.capture({ ...nothing, amountMinor: -1n, final: false }))).toEqual([
    'payment_id',
    'operation_id',
    'amount_minor',
  ]);
  expect(await fields(service.release({ ...nothing, cause: ReleaseCause.UNSPECIFIED }))).toContain('cause');
  const self = refundOf({ fromAccount: 'acct_a', toAccount: 'acct_a', amountMinor: 0n, currency: 'eur' });
  expect(await fields(service.refund(self))).toEqual(['to_account', 'amount_minor', 'currency']);
});

describe('a simulation', () => {
  const asService = () => ({ deadlineMs: PATIENCE_MS });
  const simulate = (simulated: ReturnType<typeof item> | undefined) =>
    service.authorizationRpc.simulateAuthorization({ item: simulated }, asService());
  const everything = async () => {
    const tables = ['accounts', 'balances', 'holds', 'decisions', 'account_audit_records'];
    return Promise.all(
      tables.map(async (table) => (await service.sql(`select * from ${table} as t order by t::text`)).rows),
    );
  };

  it('returns the decision with the same checks, and writes nothing', async () => {
    const { fromAccount, toAccount } = await heldPayment({ limits: { dailyMinor: 800n } });
    const before = await everything();
    for (const change of [
      { amountMinor: 200n },
      { amountMinor: 200n, captureMode: CaptureMode.MANUAL },
      { amountMinor: 201n },
      { callerId: 'usr_mallory' },
      { toAccount: 'acct_none' },
    ]) {
      const tried = item({ fromAccount, toAccount, ...change });
      const { decision } = await simulate({ ...tried, paymentId: '', operationId: '' });
      expect(await everything()).toEqual(before);
      const real = await simulate(tried);
      expect(real.decision).toEqual(decision);
    }
    const beyond = item({ fromAccount, toAccount, amountMinor: 201n });
    const { decision } = await simulate(beyond);
    const [real] = await service.authorize(beyond);
    expect(real?.decision).toEqual({ ...decision, id: expect.stringMatching(/^dec_/) });
    expect(decision?.code).toBe('DAILY_LIMIT_EXCEEDED');
  });

  it('needs a payment', async () => {
    await expect(simulate(undefined)).rejects.toEqual(refusal(status.INVALID_ARGUMENT, 'INVALID_ARGUMENT'));
  });
});
