import { Outcome } from '@payflowx/proto/authorization';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Account, available, externalAccountId, NO_LIMITS } from '../domain/account.ts';
import type { Hold } from '../domain/hold.ts';
import { NO_RULES } from '../domain/judge-rules.ts';
import { MAX_MINOR } from '../domain/money.ts';
import type { StepRequest } from '../domain/step-request.ts';
import { NEVER_USED, type Usage } from '../domain/usage.ts';
import { decideStep, resultOf, startBatch } from './decide-steps.ts';

/** `make mutate` draws fewer cases. */
const { numRuns: USUAL_RUNS = 100 } = fc.readConfigureGlobal();

const CURRENCIES = ['EUR', 'USD'];
const OWNED = ['a', 'b', 'c', 'd', 'e'];
/** Mostly valid accounts, so that steps build on each other; sometimes an invalid one. */
const anyAccount = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(...OWNED) },
  { weight: 1, arbitrary: fc.constantFrom('nobody', ...CURRENCIES.map(externalAccountId)) },
);

function mostly<T>(usual: T, rare: T): fc.Arbitrary<T> {
  return fc.oneof({ weight: 14, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: fc.constant(rare) });
}

const smallLimit = fc.option(fc.bigInt({ min: 500n, max: 5_000n }), { nil: null });
const limits = fc.record({
  perPayment: smallLimit,
  daily: smallLimit,
  monthly: smallLimit,
  dailyCount: fc.option(fc.nat(20), { nil: null }),
});
const owned = fc.record({
  currency: mostly('EUR', 'USD'),
  state: mostly('ACTIVE', 'FROZEN'),
  limits: fc.oneof(fc.constant(NO_LIMITS), limits),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/Havana', 'Pacific/Kiritimati'),
});

// Round amounts equal each other often, small ones reach the limits of small balances, huge ones the cap.
const amount = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(100n, 300n, 400n, 600n) },
  { weight: 3, arbitrary: fc.bigInt({ min: 1n, max: 1_000n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: MAX_MINOR }) },
);
/** The random part of a step. `pick` selects one of the earlier payments. */
const step = fc.record({
  kind: fc.constantFrom(
    'AUTHORIZE',
    'AUTHORIZE',
    'CAPTURE',
    'CAPTURE',
    'RELEASE',
    'RELEASE',
    'REFUND',
    'REPLAY',
  ),
  fromAccount: anyAccount,
  toAccount: anyAccount,
  amount,
  currency: mostly('EUR', 'USD'),
  captureMode: fc.constantFrom('AUTOMATIC', 'MANUAL', 'MANUAL', 'MANUAL'),
  asOperator: fc.boolean(),
  whole: fc.boolean(),
  final: fc.boolean(),
  cause: fc.constantFrom('CANCEL', 'EXPIRY'),
  pick: fc.nat(5),
  hoursLater: fc.nat(4),
});
type Drawn = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The starting balance of owned accounts. The external account owes it. */
const START = 5_000n;

function startingAccounts(drawn: readonly Partial<Account>[]) {
  const money = { posted: 0n, held: 0n, usage: NEVER_USED, limits: NO_LIMITS };
  const nothing = { ...money, timeZone: 'UTC', createdAt: new Date(0), decidedAt: undefined };
  const active = { ...nothing, state: 'ACTIVE' as const };
  const accounts: Account[] = [
    ...OWNED.map((id, index) => ({
      ...active,
      id,
      ownerId: 'usr_1',
      isExternal: false,
      currency: 'EUR',
      posted: START,
      ...drawn[index],
    })),
    ...CURRENCIES.map((currency) => ({
      ...active,
      id: externalAccountId(currency),
      ownerId: null,
      isExternal: true,
      currency,
    })),
  ];
  const owed = (currency: string) =>
    START * BigInt(accounts.filter((each) => !each.isExternal && each.currency === currency).length);
  return new Map(
    accounts.map((each) => [each.id, each.isExternal ? { ...each, posted: -owed(each.currency) } : each]),
  );
}

/** Builds the full step: a new payment, or a step of an earlier payment. */
function requestOf(
  drawn: Drawn,
  index: number,
  earlierSteps: readonly StepRequest[],
): StepRequest | undefined {
  const { fromAccount, toAccount, currency } = drawn;
  const payment = { paymentId: `pay_${index}`, operationId: `pay_${index}` };
  if (drawn.kind === 'AUTHORIZE') {
    if (fromAccount === toAccount) return undefined;
    return {
      kind: 'AUTHORIZE',
      ...payment,
      fromAccount,
      toAccount,
      amount: drawn.amount,
      currency,
      captureMode: drawn.captureMode as 'MANUAL',
      callerId: 'usr_1',
      callerRoles: [drawn.asOperator ? 'operator' : 'customer'],
      holdSeconds: 0,
      holdExpiresAt: undefined,
      description: '',
      reference: '',
      metadata: {},
      mandateId: undefined,
    };
  }
  if (drawn.kind === 'REPLAY') return earlierSteps.toReversed()[drawn.pick];
  // Returns one of the last payments, so that many steps are about the same ones.
  const payments = earlierSteps.toReversed().filter(({ kind }) => kind === 'AUTHORIZE');
  const earlier = payments[drawn.pick % Math.min(payments.length, 4)];
  if (earlier?.kind !== 'AUTHORIZE') return undefined;
  const key = { paymentId: earlier.paymentId, operationId: `op_${index}` };
  if (drawn.kind === 'CAPTURE') {
    return { kind: 'CAPTURE', ...key, amount: drawn.whole ? 0n : drawn.amount, final: drawn.final };
  }
  if (drawn.kind === 'RELEASE') return { kind: 'RELEASE', ...key, cause: drawn.cause as 'CANCEL' };
  const back = { fromAccount: earlier.toAccount, toAccount: earlier.fromAccount };
  return { kind: 'REFUND', ...key, ...back, amount: drawn.amount, currency: earlier.currency };
}

/** Invariants of all accounts and holds. */
function expectSound(accounts: ReadonlyMap<string, Account>, holds: ReadonlyMap<string, Hold>): void {
  for (const currency of CURRENCIES) {
    const ofCurrency = [...accounts.values()].filter((each) => each.currency === currency);
    expect(ofCurrency.reduce((sum, { posted }) => sum + posted, 0n)).toBe(0n);
  }
  for (const each of accounts.values()) {
    expect(available(each) >= 0n, `${each.id} is overdrawn`).toBe(true);
    expect(each.posted <= MAX_MINOR && each.posted >= -MAX_MINOR, `${each.id} fits`).toBe(true);
    const held = [...holds.values()].filter(({ fromAccount }) => fromAccount === each.id);
    expect(each.held).toBe(held.reduce((sum, { remaining }) => sum + remaining, 0n));
    const { daily, monthly, dailyCount } = each.limits;
    expect(daily === null || each.usage.spentToday <= daily).toBe(true);
    expect(monthly === null || each.usage.spentThisMonth <= monthly).toBe(true);
    expect(dailyCount === null || each.usage.countToday <= dailyCount).toBe(true);
  }
  for (const { amount: promised, captured, remaining, state } of holds.values()) {
    expect(captured >= 0n && remaining >= 0n && captured + remaining <= promised).toBe(true);
    expect(state === 'OPEN').toBe(remaining > 0n);
  }
}

type Limited = Pick<Usage, 'spentToday' | 'countToday' | 'spentThisMonth'>;

/** Computes the use of the limits in the windows of `now` from the full history of an account. */
function usageToldAnew(account: Account, holds: ReadonlyMap<string, Hold>, paid: readonly Paid[]): Limited {
  const { day, month } = account.usage;
  const mine = paid.filter(({ from }) => from === account.id);
  const told = { spentToday: 0n, countToday: 0, spentThisMonth: 0n };
  for (const { paymentId, windows, amount: moved } of mine) {
    const hold = holds.get(paymentId);
    const counted = hold ? hold.captured + hold.remaining : moved;
    if (windows.month === month) told.spentThisMonth += counted;
    if (windows.day !== day) continue;
    told.spentToday += counted;
    if (counted > 0n) told.countToday += 1;
  }
  return told;
}
interface Paid {
  paymentId: string;
  from: string;
  amount: bigint;
  windows: { day: string; month: string };
}

describe('any sequence of steps', () => {
  it('conserves money, overdraws no account, keeps limits, holds the right amounts, and applies no step again', () => {
    fc.assert(
      fc.property(
        fc.array(owned, { minLength: OWNED.length, maxLength: OWNED.length }),
        fc.array(step, { minLength: 20, maxLength: 120, size: 'max' }),
        (drawn, steps) => play(startingAccounts(drawn as Account[]), steps),
      ),
      { numRuns: 2 * USUAL_RUNS },
    );
  });
});

const paymentBetween = fc.record({
  fromAccount: fc.constantFrom(...OWNED),
  toAccount: fc.constantFrom(...OWNED),
});
/** The steps of one batch, and the clock of the instance that decides it in milliseconds. */
const batch = fc.record({ clockMs: fc.nat(20), payments: fc.array(paymentBetween, { maxLength: 6 }) });

it('the times and ids of one account’s decisions sort in the order of its changes, however the clocks differ', () => {
  fc.assert(
    fc.property(fc.array(batch, { minLength: 2, maxLength: 12 }), (batches) => {
      const read = {
        ...{ accounts: startingAccounts([]), holds: new Map<string, Hold>() },
        ...{ mandates: new Map(), known: new Map() },
      };
      const orderOf = new Map<string, string>();
      let count = 0;
      for (const { clockMs, payments } of batches) {
        const now = new Date(1_800_000_000_000 + clockMs);
        const state = startBatch(read, { now, holdTtlMs: 1, rules: NO_RULES });
        for (const { fromAccount, toAccount } of payments) {
          count += 1;
          const drawn = { kind: 'AUTHORIZE', fromAccount, toAccount, amount: 1n, currency: 'EUR' } as Drawn;
          const request = requestOf(drawn, count, []);
          const result = request && decideStep(state, { request, deadline: undefined });
          if (!result?.ok || result.value.decision.outcome !== Outcome.APPROVED) continue;
          const { decidedAt, id } = result.value.decision;
          const order = `${decidedAt?.toISOString()} ${id}`;
          expect(decidedAt && decidedAt >= now).toBe(true);
          for (const account of [fromAccount, toAccount]) {
            expect(order > (orderOf.get(account) ?? '')).toBe(true);
            orderOf.set(account, order);
          }
        }
      }
    }),
  );
});

it('does not follow a decision that a wrong clock dated far ahead', () => {
  const now = new Date('2026-01-01T00:00:00Z');
  const timeAfter = (lastMs: number) => {
    const accounts = startingAccounts([]);
    const payer = accounts.get('a') as Account;
    accounts.set('a', { ...payer, decidedAt: new Date(now.getTime() + lastMs) });
    const state = startBatch(
      { accounts, holds: new Map(), mandates: new Map(), known: new Map() },
      { now, holdTtlMs: 1, rules: NO_RULES },
    );
    const drawn = {
      kind: 'AUTHORIZE',
      fromAccount: 'a',
      toAccount: 'b',
      amount: 1n,
      currency: 'EUR',
    } as Drawn;
    const result = decideStep(state, {
      request: requestOf(drawn, 1, []) as StepRequest,
      deadline: undefined,
    });
    return result.ok && (result.value.decision.decidedAt?.getTime() ?? 0) - now.getTime();
  };
  expect(timeAfter(60_000)).toBe(60_001);
  expect(timeAfter(60_001)).toBe(0);
});

function play(accounts: Map<string, Account>, steps: readonly Drawn[]): void {
  const read = { accounts, holds: new Map<string, Hold>(), mandates: new Map(), known: new Map() };
  const earlierSteps: StepRequest[] = [];
  const firstAnswers = new Map<StepRequest, unknown>();
  const paid: Paid[] = [];
  let now = new Date('2025-03-30T00:00:00Z');
  for (const [index, each] of steps.entries()) {
    now = new Date(now.getTime() + each.hoursLater * 3_600_000);
    const request = requestOf(each, index, earlierSteps);
    if (request === undefined) continue;
    const state = startBatch(read, { now, holdTtlMs: 24 * 3_600_000, rules: NO_RULES });
    const result = decideStep(state, { request, deadline: undefined });
    if (!result.ok) {
      expect(result.error).toMatchObject({ reason: 'HOLD_NOT_FOUND' });
      continue;
    }
    const written = resultOf(state);
    if (result.value.retryAt !== undefined) {
      // Only the time is missing: the decision is not stored, and a retry may get another one later.
      expect(result.value.retryAt > now).toBe(true);
      expect(written).toMatchObject({ steps: [], changed: [], newHolds: [], changedHolds: [] });
      continue;
    }
    if (firstAnswers.has(request)) {
      expect(result.value).toEqual(firstAnswers.get(request));
      expect(written).toMatchObject({ steps: [], changed: [], newHolds: [], changedHolds: [] });
      continue;
    }
    earlierSteps.push(request);
    firstAnswers.set(request, structuredClone(result.value));
    const payer = request.kind === 'AUTHORIZE' ? accounts.get(request.fromAccount) : undefined;
    if (request.kind === 'AUTHORIZE' && payer && !payer.isExternal && written.changed.length > 0) {
      const { paymentId, amount: moved } = request;
      paid.push({ paymentId, from: payer.id, amount: moved, windows: payer.usage });
    }
    expectSound(accounts, read.holds);
    for (const account of accounts.values()) {
      if (!account.isExternal) expect(account.usage).toMatchObject(usageToldAnew(account, read.holds, paid));
    }
  }
}
