/** The test clock of the sandbox, on a real database and through two instances. */
import { status } from '@grpc/grpc-js';
import { newId } from '@payflowx/chassis';
import { eventually, PATIENCE_MS, untilKnown } from '@payflowx/chassis/testing';
import { Role } from '@payflowx/proto/auth';
import { type AdvanceAccountRequest, CaptureMode, type Limits } from '@payflowx/proto/authorization';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  accountOf,
  captureOf,
  deposit,
  item,
  openAccount,
  openMandate,
  type RunningService,
  startService,
} from './running-service.ts';

const DAY_S = 86_400;
const HOLD_S = 3_600;
let service: RunningService;
/** The service's clock. Decisions on one account are at least a millisecond apart. */
let now: Date;
let bob: string;

beforeAll(async () => {
  now = new Date('2025-03-10T09:00:00Z');
  service = await startService({ instances: 2, now: () => now, sandbox: true });
  bob = await openAccount(service, { ownerId: 'usr_bob' });
});
beforeEach(() => {
  now = new Date('2025-03-10T09:00:00Z');
});
afterAll(() => service.stop());

const NO_LIMIT: Limits = {
  perPaymentMinor: undefined,
  dailyMinor: undefined,
  monthlyMinor: undefined,
  dailyCount: undefined,
};
async function open(limits: Partial<Limits> = {}): Promise<string> {
  const opened = await openAccount(service, { balance: 10_000n, limits: { ...NO_LIMIT, ...limits } });
  now = new Date(now.getTime() + 10);
  return opened;
}

const pay = async (fromAccount: string, change: Partial<Parameters<typeof item>[0]> = {}) => {
  const payment = item({ fromAccount, toAccount: bob, ...change });
  const [answer] = await service.authorize(payment);
  return { paymentId: payment.paymentId, code: answer?.decision?.code };
};
const hold = (fromAccount: string, holdSeconds = HOLD_S) =>
  pay(fromAccount, { captureMode: CaptureMode.MANUAL, holdSeconds });

/** An account is busy while its clock moves: then nothing was decided. */
const decidedHold = (fromAccount: string) =>
  eventually(async () => {
    const held = await hold(fromAccount);
    if (held.code === undefined) throw new Error('nothing was decided');
    return held;
  });

/** Milliseconds since 1970. */
async function endOf(paymentId: string): Promise<number> {
  const { rows } = await service.sql('select expires_at from holds where payment_id = $1', [paymentId]);
  return rows[0].expires_at.getTime();
}

function advance(accountId: string, seconds: number, change: Partial<AdvanceAccountRequest> = {}) {
  const request = {
    accountId,
    seconds,
    requestId: newId('req'),
    callerId: 'usr_alice',
    callerRoles: [Role.CUSTOMER],
    clientId: '',
    ...change,
  };
  return untilKnown(() => service.testClock.advanceAccount(request, { deadlineMs: PATIENCE_MS }));
}

describe('the test clock', () => {
  it('ends the holds that the account pays for, so that they expire as others do', async () => {
    const alice = await open();
    const { paymentId } = await hold(alice);
    expect((await service.expire(paymentId)).decision?.code).toBe('HOLD_NOT_EXPIRED');

    const before = await endOf(paymentId);
    const { holds, movedHolds, advancedSeconds } = await advance(alice, HOLD_S);
    expect(before - (await endOf(paymentId))).toBe(HOLD_S * 1_000);
    now = new Date(now.getTime() + 1_000);
    expect({ movedHolds, advancedSeconds }).toEqual({ movedHolds: 1, advancedSeconds: BigInt(HOLD_S) });
    expect(holds).toEqual([{ paymentId, expiresAt: new Date(await endOf(paymentId)) }]);

    const late = await service.capture(captureOf(paymentId));
    expect(late.decision?.code).toBe('HOLD_NOT_OPEN');
    const { decision } = await service.expire(paymentId);
    expect(decision).toMatchObject({ code: '' });
    expect(decision?.decidedAt?.getTime()).toBeGreaterThanOrEqual(now.getTime());
    expect((await accountOf(service, alice)).balance).toMatchObject({ postedMinor: 10_000n, heldMinor: 0n });
  });

  it('moves the windows of mandates with those of the account, so that an expiry gives back to both', async () => {
    const alice = await open();
    const validUntil = new Date(now.getTime() + 400 * DAY_S * 1_000);
    const terms = { fromAccount: alice, toAccount: bob, dailyMinor: 900n, validUntil };
    const { id: mandateId } = await openMandate(service, terms);
    const collect = (amountMinor: bigint, change = {}) =>
      pay(alice, { callerId: 'usr_bob', mandateId, amountMinor, ...change });
    const { paymentId } = await collect(900n, { captureMode: CaptureMode.MANUAL, holdSeconds: DAY_S });
    expect((await collect(1n)).code).toBe('MANDATE_LIMIT_EXCEEDED');
    await advance(alice, DAY_S);
    // A new day for the mandate too, although the hold is not expired yet.
    expect((await collect(900n)).code).toBe('');
    expect((await collect(1n)).code).toBe('MANDATE_LIMIT_EXCEEDED');
    // The expiry gives back to the day before.
    now = new Date(now.getTime() + 1_000);
    expect((await service.expire(paymentId)).decision?.code).toBe('');
    expect((await collect(1n)).code).toBe('MANDATE_LIMIT_EXCEEDED');
    await advance(alice, DAY_S);
    expect((await collect(900n)).code).toBe('');
  });

  it('ends neither the holds of other payers nor those that are over', async () => {
    const [alice, other] = [await open(), await open()];
    const { paymentId } = await hold(alice);
    await service.capture(captureOf(paymentId));
    const { paymentId: others } = await hold(other);
    const { holds, movedHolds } = await advance(alice, 10 * DAY_S);
    expect({ holds, movedHolds }).toEqual({ holds: [], movedHolds: 0 });
    expect(await endOf(others)).toBeGreaterThan(now.getTime());
  });

  it('begins days and months of the limits', async () => {
    const alice = await open({ dailyMinor: 150n, monthlyMinor: 250n });
    expect((await pay(alice)).code).toBe('');
    expect((await pay(alice)).code).toBe('DAILY_LIMIT_EXCEEDED');
    await advance(alice, DAY_S);
    expect((await accountOf(service, alice)).usage).toMatchObject({ dailyMinor: 0n, monthlyMinor: 100n });
    expect((await pay(alice)).code).toBe('');
    await advance(alice, DAY_S);
    expect((await pay(alice)).code).toBe('MONTHLY_LIMIT_EXCEEDED');
    // From the 12th of March on.
    await advance(alice, 20 * DAY_S);
    expect((await accountOf(service, alice)).usage).toMatchObject({ dailyMinor: 0n, monthlyMinor: 0n });
    expect((await pay(alice)).code).toBe('');
  });

  it('lets small steps add up to a day', async () => {
    const alice = await open({ dailyCount: 1 });
    expect((await pay(alice)).code).toBe('');
    for (let step = 0; step < 4; step += 1) {
      expect((await pay(alice)).code, `step ${step}`).toBe('DAILY_COUNT_EXCEEDED');
      // From nine o'clock on: 13, 17, 21, 1 o'clock.
      await advance(alice, 4 * 3_600);
    }
    expect((await pay(alice)).code).toBe('');
  });

  it('keeps the share of a hold in a window that is in use: its release gives that back, and no more', async () => {
    const alice = await open({ dailyMinor: 250n });
    const old = await hold(alice, 30 * DAY_S);
    await advance(alice, DAY_S);
    const fresh = await hold(alice, 30 * DAY_S);
    expect((await accountOf(service, alice)).usage.dailyMinor).toBe(100n);
    await service.cancel(old.paymentId);
    expect((await accountOf(service, alice)).usage.dailyMinor).toBe(100n);
    await service.cancel(fresh.paymentId);
    expect((await accountOf(service, alice)).usage.dailyMinor).toBe(0n);
  });

  it('moves once for a key, and returns the present ends to a retry', async () => {
    const alice = await open();
    const { paymentId } = await hold(alice);
    const requestId = newId('req');
    const first = await advance(alice, 60, { requestId });
    const again = await advance(alice, 60, { requestId });
    expect(again).toEqual({ ...first, replayed: true });
    await service.cancel(paymentId);
    expect(await advance(alice, 60, { requestId })).toEqual({ ...first, holds: [], replayed: true });
    const reused = expect.objectContaining({ reason: 'REQUEST_ID_REUSED' });
    await expect(advance(alice, 61, { requestId })).rejects.toEqual(reused);
    await expect(advance(await open(), 60, { requestId })).rejects.toEqual(reused);
  });

  it('moves once if the same request comes many times at once', async () => {
    const alice = await open();
    const { paymentId } = await hold(alice);
    const before = await endOf(paymentId);
    const requestId = newId('req');
    const all = await Promise.all(Array.from({ length: 8 }, () => advance(alice, 60, { requestId })));
    expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(all.map(({ advancedSeconds }) => advancedSeconds))).toEqual(new Set([60n]));
    expect(before - (await endOf(paymentId))).toBe(60_000);
  });

  it('adds up requests that race, and loses no payment that races with them', async () => {
    const alice = await open();
    const [steps, payments] = await Promise.all([
      Promise.all(Array.from({ length: 10 }, () => advance(alice, 10))),
      Promise.all(Array.from({ length: 20 }, () => decidedHold(alice))),
    ]);
    expect(Math.max(...steps.map(({ advancedSeconds }) => Number(advancedSeconds)))).toBe(100);
    expect(payments.map(({ code }) => code)).toEqual(Array(20).fill(''));
    expect((await accountOf(service, alice)).balance.heldMinor).toBe(2_000n);
  });

  it('is for the owner and for operators. To others the account does not exist', async () => {
    const alice = await open();
    const { paymentId } = await hold(alice);
    const asOperator = { callerId: 'usr_operator', callerRoles: [Role.OPERATOR] };
    const missing = { code: status.NOT_FOUND, reason: 'ACCOUNT_NOT_FOUND' };
    const stranger = { callerId: 'usr_bob' };
    const auditor = { callerId: 'usr_auditor', callerRoles: [Role.AUDITOR] };
    for (const caller of [stranger, auditor]) {
      await expect(advance(alice, HOLD_S, caller)).rejects.toMatchObject(missing);
    }
    await expect(advance('external:EUR', 1, asOperator)).rejects.toMatchObject(missing);
    await expect(advance('acct_none', 1, asOperator)).rejects.toMatchObject(missing);
    expect((await service.expire(paymentId)).decision?.code).toBe('HOLD_NOT_EXPIRED');
    expect((await advance(alice, HOLD_S, asOperator)).movedHolds).toBe(1);
  });

  it.each([0, -1, 31_536_001])('refuses %d seconds', async (seconds) => {
    const alice = await open();
    await expect(advance(alice, seconds)).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  it('goes ten years forward and no further', async () => {
    const alice = await open();
    for (let year = 0; year < 10; year += 1) await advance(alice, 365 * DAY_S);
    const beyond = {
      reason: 'INVALID_ARGUMENT',
      violations: [expect.objectContaining({ field: 'seconds' })],
    };
    await expect(advance(alice, 1)).rejects.toMatchObject(beyond);
    expect((await pay(alice)).code).toBe('');
  });

  it('leaves an audit record, and deletes requests that no retry can ask for', async () => {
    const alice = await open();
    await advance(alice, 5, { clientId: 'cli_1' });
    now = new Date(now.getTime() + 26 * 3_600_000);
    await advance(alice, 7);
    const { rows: kept } = await service.sql(
      'select seconds, total_s from test_clock_advances where account_id = $1',
      [alice],
    );
    expect(kept).toEqual([{ seconds: 7, total_s: 12 }]);
    const { rows: audit } = await service.sql(
      `select actor_id, client_id, before, after from account_audit_records
       where account_id = $1 and action = 'account.clock_advanced' order by id`,
      [alice],
    );
    expect(audit).toEqual([
      {
        actor_id: 'usr_alice',
        client_id: 'cli_1',
        before: { advanced_seconds: 0 },
        after: { advanced_seconds: 5 },
      },
      {
        actor_id: 'usr_alice',
        client_id: null,
        before: { advanced_seconds: 5 },
        after: { advanced_seconds: 12 },
      },
    ]);
  });

  it('refuses an account with more than a thousand open holds, and moves none of them', async () => {
    const alice = await openAccount(service, { balance: 0n });
    await service.authorize(deposit(alice, 1_000_000n));
    const holds = (count: number) =>
      Array.from({ length: count }, () =>
        item({ fromAccount: alice, toAccount: bob, captureMode: CaptureMode.MANUAL, holdSeconds: HOLD_S }),
      );
    for (const count of [500, 500]) await service.authorize(...holds(count));
    expect((await advance(alice, 1)).movedHolds).toBe(1_000);
    const [last] = await service.authorize(...holds(1));
    expect(last?.decision?.code).toBe('');
    const refusal = { code: status.FAILED_PRECONDITION, reason: 'TOO_MANY_HOLDS' };
    await expect(advance(alice, 1)).rejects.toMatchObject(refusal);
    const { rows } = await service.sql(
      'select max(total_s) as total from test_clock_advances where account_id = $1',
      [alice],
    );
    expect(rows).toEqual([{ total: 1 }]);
  });
});

it('is not served without the sandbox', async () => {
  const plain = await startService();
  const request = {
    accountId: 'acct_1',
    seconds: 1,
    requestId: 'r',
    callerId: 'usr_alice',
    callerRoles: [Role.CUSTOMER],
    clientId: '',
  };
  const call = plain.testClock.advanceAccount(request, { deadlineMs: PATIENCE_MS });
  await expect(call).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  await plain.stop();
});
