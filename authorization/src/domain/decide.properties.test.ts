import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Account, available, externalAccountId, NO_LIMITS } from './account.ts';
import { decide } from './decide.ts';
import type { Hold, PaymentRequest } from './decision.ts';
import { MAX_MINOR } from './money.ts';
import { NEVER_USED } from './usage.ts';

const CURRENCIES = ['EUR', 'USD'];
const OWNED = ['a', 'b', 'c', 'd', 'e'];
const EVERY_ID = [...OWNED, 'nobody', ...CURRENCIES.map(externalAccountId)];

const smallLimit = fc.option(fc.bigInt({ min: 0n, max: 3_000n }), { nil: null });
const limits = fc.record({
  perPayment: smallLimit,
  daily: smallLimit,
  monthly: smallLimit,
  dailyCount: fc.option(fc.nat(20), { nil: null }),
});
const owned = fc.record({
  currency: fc.constantFrom(...CURRENCIES),
  state: fc.constantFrom('ACTIVE', 'ACTIVE', 'ACTIVE', 'FROZEN'),
  limits: fc.oneof(fc.constant(NO_LIMITS), limits),
});

// Small amounts find the edges of small balances; huge ones the cap.
const amount = fc.oneof(
  { weight: 9, arbitrary: fc.bigInt({ min: 1n, max: 1_000n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: MAX_MINOR }) },
);
const payment = fc.record({
  fromAccount: fc.constantFrom(...EVERY_ID),
  toAccount: fc.constantFrom(...EVERY_ID),
  amount,
  currency: fc.constantFrom(...CURRENCIES),
  captureMode: fc.constantFrom('AUTOMATIC', 'AUTOMATIC', 'MANUAL'),
  asOperator: fc.boolean(),
  hoursLater: fc.nat(30),
});

function startingAccounts(drawn: readonly Pick<Account, 'currency' | 'state' | 'limits'>[]) {
  const nothing = { posted: 0n, held: 0n, usage: NEVER_USED };
  const accounts: Account[] = [
    ...OWNED.map((id, index) => ({
      ...nothing,
      id,
      ownerId: 'usr_1',
      isExternal: false,
      currency: 'EUR',
      state: 'ACTIVE' as const,
      limits: NO_LIMITS,
      ...drawn[index],
    })),
    ...CURRENCIES.map((currency) => ({
      ...nothing,
      id: externalAccountId(currency),
      ownerId: null,
      isExternal: true,
      currency,
      state: 'ACTIVE' as const,
      limits: NO_LIMITS,
    })),
  ];
  return new Map(accounts.map((each) => [each.id, each]));
}

function requestOf(drawn: typeof payment extends fc.Arbitrary<infer P> ? P : never): PaymentRequest {
  const { asOperator, hoursLater: _, ...rest } = drawn;
  return {
    ...rest,
    captureMode: rest.captureMode as PaymentRequest['captureMode'],
    paymentId: 'pay',
    operationId: 'pay',
    callerId: 'usr_1',
    callerRoles: [asOperator ? 'operator' : 'customer'],
    holdExpiresAt: undefined,
  };
}

/** What must be true of all accounts at any time. */
function expectSound(accounts: ReadonlyMap<string, Account>, holds: readonly Hold[]): void {
  for (const currency of CURRENCIES) {
    const ofCurrency = [...accounts.values()].filter((each) => each.currency === currency);
    expect(ofCurrency.reduce((sum, { posted }) => sum + posted, 0n)).toBe(0n);
  }
  for (const each of accounts.values()) {
    expect(available(each) >= 0n, `${each.id} is overdrawn`).toBe(true);
    expect(each.posted <= MAX_MINOR && each.posted >= -MAX_MINOR, `${each.id} fits`).toBe(true);
    const held = holds.filter(({ fromAccount }) => fromAccount === each.id);
    expect(each.held).toBe(held.reduce((sum, hold) => sum + hold.amount, 0n));
    const { daily, monthly, dailyCount } = each.limits;
    expect(daily === null || each.usage.spentToday <= daily).toBe(true);
    expect(monthly === null || each.usage.spentThisMonth <= monthly).toBe(true);
    expect(dailyCount === null || each.usage.countToday <= dailyCount).toBe(true);
  }
}

describe('any sequence of payments', () => {
  it('conserves money, overdraws nobody, keeps the limits, and holds exactly what it promised', () => {
    fc.assert(
      fc.property(
        fc.array(owned, { minLength: OWNED.length, maxLength: OWNED.length }),
        fc.array(payment, { maxLength: 80 }),
        (drawn, payments) => {
          const accounts = startingAccounts(drawn as Account[]);
          const holds: Hold[] = [];
          let now = new Date('2025-01-30T00:00:00Z');
          for (const each of payments) {
            if (each.fromAccount === each.toAccount) continue;
            now = new Date(now.getTime() + each.hoursLater * 3_600_000);
            const { decision, changed, hold } = decide(requestOf(each), accounts, { now, holdTtlMs: 1 });
            expect(decision.movements.length).toBe(decision.decline === undefined ? 1 : 0);
            for (const account of changed) accounts.set(account.id, account);
            if (hold) holds.push(hold);
            expectSound(accounts, holds);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
