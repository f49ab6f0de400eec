import { describe, expect, it } from 'vitest';
import { account } from './account.testing.ts';
import { type Account, externalAccountId, NO_LIMITS } from './account.ts';
import { authorize } from './authorize.ts';
import { NO_RULES } from './judge-rules.ts';
import { MAX_MINOR } from './money.ts';
import { paymentRequest } from './payment-request.testing.ts';
import type { PaymentRequest } from './step-request.ts';
import { NEVER_USED } from './usage.ts';

const NOW = new Date('2025-03-31T12:00:00Z');
const CONTEXT = { now: NOW, holdTtlMs: 60_000, rules: NO_RULES };

const external = (currency: string, change: Partial<Account> = {}) =>
  account(externalAccountId(currency), { ownerId: null, isExternal: true, currency, ...change });

const asOperator = { callerId: 'usr_op', callerRoles: ['operator'] } as const;

function decided(change: Partial<PaymentRequest>, ...accounts: Account[]) {
  const books = {
    accounts: new Map(accounts.map((each) => [each.id, each])),
    ...{ holds: new Map(), mandates: new Map() },
  };
  return authorize(paymentRequest(change), books, CONTEXT);
}

const rich = (change: Partial<Account> = {}) => account('alice', { posted: 1_000n, ...change });
const limits = (change: Partial<Account['limits']>) => ({ limits: { ...NO_LIMITS, ...change } });
const usedToday = {
  usage: { day: '2025-03-31', spentToday: 450n, countToday: 3, month: '2025-03-01', spentThisMonth: 800n },
};

describe('a payment is declined', () => {
  const bob = account('bob');
  const cases: [string, string, Partial<PaymentRequest>, Account[]][] = [
    ['from an account that is not there', 'FROM_ACCOUNT_NOT_FOUND', {}, [bob]],
    ["from somebody else's account", 'FROM_ACCOUNT_NOT_FOUND', { callerId: 'usr_bob' }, [rich(), bob]],
    [
      'by an auditor',
      'FROM_ACCOUNT_NOT_FOUND',
      { callerId: 'usr_a', callerRoles: ['auditor'] },
      [rich(), bob],
    ],
    [
      'from the external account, by a customer',
      'FROM_ACCOUNT_NOT_FOUND',
      { fromAccount: 'external:EUR' },
      [external('EUR'), bob],
    ],
    ['to an unknown account', 'TO_ACCOUNT_NOT_FOUND', {}, [rich()]],
    [
      'to the external account, by a customer',
      'TO_ACCOUNT_NOT_FOUND',
      { toAccount: 'external:EUR' },
      [rich(), external('EUR')],
    ],
    [
      'by an operator, from the external account to its own',
      'OWN_ACCOUNT',
      { fromAccount: 'external:EUR', toAccount: 'alice', callerRoles: ['operator'] },
      [external('EUR'), rich()],
    ],
    [
      'by an operator, from its own account to the external one',
      'OWN_ACCOUNT',
      { toAccount: 'external:EUR', callerRoles: ['operator'] },
      [rich(), external('EUR')],
    ],
    [
      "by an operator, from somebody else's account to its own",
      'OWN_ACCOUNT',
      { callerId: 'usr_bob', callerRoles: ['customer', 'operator'] },
      [rich(), bob],
    ],
    ['from a frozen account', 'FROM_ACCOUNT_NOT_ACTIVE', {}, [rich({ state: 'FROZEN' }), bob]],
    ['from a closed account', 'FROM_ACCOUNT_CLOSED', {}, [rich({ state: 'CLOSED' }), bob]],
    ['to a frozen account', 'TO_ACCOUNT_NOT_ACTIVE', {}, [rich(), account('bob', { state: 'FROZEN' })]],
    ['to a closed account', 'TO_ACCOUNT_CLOSED', {}, [rich(), account('bob', { state: 'CLOSED' })]],
    ['in a currency of neither account', 'CURRENCY_MISMATCH', { currency: 'USD' }, [rich(), bob]],
    [
      'to an account of another currency',
      'CURRENCY_MISMATCH',
      {},
      [rich(), account('bob', { currency: 'USD' })],
    ],
    [
      'above the limit per payment',
      'PER_PAYMENT_LIMIT_EXCEEDED',
      {},
      [rich(limits({ perPayment: 99n })), bob],
    ],
    [
      'above the rest of the daily limit',
      'DAILY_LIMIT_EXCEEDED',
      {},
      [rich({ ...limits({ daily: 549n }), ...usedToday }), bob],
    ],
    [
      'above the rest of the monthly limit',
      'MONTHLY_LIMIT_EXCEEDED',
      {},
      [rich({ ...limits({ monthly: 899n }), ...usedToday }), bob],
    ],
    [
      'above the daily count',
      'DAILY_COUNT_EXCEEDED',
      {},
      [rich({ ...limits({ dailyCount: 3 }), ...usedToday }), bob],
    ],
    ['above the balance', 'INSUFFICIENT_BALANCE', { amount: 1_001n }, [rich(), bob]],
    ['above the balance that is not held', 'INSUFFICIENT_BALANCE', {}, [rich({ held: 901n }), bob]],
  ];

  it.each(cases)('%s: %s', (_, code, change, accounts) => {
    const { decision, changed, hold } = decided(change, ...accounts);
    expect(decision.decline).toBe(code);
    expect(decision.checks.at(-1)?.passed).toBe(false);
    expect(decision.checks.slice(0, -1).every((check) => check.passed)).toBe(true);
    expect(decision.movements).toEqual([]);
    expect(changed).toEqual([]);
    expect(hold).toBeUndefined();
  });

  it('with a trace that contains no figures for a caller who is not the owner', () => {
    const { decision } = decided({ callerId: 'usr_mallory' }, rich(), bob);
    expect(decision.checks).toEqual([{ name: 'from_account', passed: false, inputs: {} }]);
    expect(decision).toMatchObject({ fromOwnerId: null, toOwnerId: null });
  });

  it('with the limit, the amount used, and the end of its window', () => {
    const alice = rich({ ...limits({ daily: 500n }), ...usedToday });
    expect(decided({}, alice, bob).decision.limit).toEqual({
      limit: 500n,
      used: 450n,
      resetsAt: new Date('2025-04-01T00:00:00Z'),
    });
  });
});

describe('the limits of an account', () => {
  it('count in its own time zone, with the end of the day and the month there', () => {
    // 12:00 UTC on March 31st is April 1st at the other end of the Pacific.
    const apart = { timeZone: 'Pacific/Kiritimati', ...usedToday };
    const today = rich({ ...limits({ daily: 99n }), ...apart });
    expect(decided({}, today, account('bob')).decision.limit).toEqual({
      limit: 99n,
      used: 0n,
      resetsAt: new Date('2025-04-01T10:00:00Z'),
    });
    const thisMonth = rich({ ...limits({ monthly: 99n }), ...apart });
    expect(decided({}, thisMonth, account('bob')).decision.limit).toMatchObject({
      used: 0n,
      resetsAt: new Date('2025-04-30T10:00:00Z'),
    });
  });
});

describe('a payment is approved', () => {
  const bob = account('bob');

  it('up to the last minor unit of the balance and of every limit', () => {
    const alice = rich({
      ...limits({ perPayment: 1_000n, daily: 1_000n, monthly: 1_000n, dailyCount: 1 }),
    });
    const { decision, changed } = decided({ amount: 1_000n }, alice, bob);
    expect(decision.decline).toBeUndefined();
    expect(decision.movements).toEqual([
      { kind: 'TRANSFER', fromAccount: 'alice', toAccount: 'bob', amount: 1_000n },
    ]);
    expect(decision).toMatchObject({ fromOwnerId: 'usr_alice', toOwnerId: 'usr_bob', decidedAt: NOW });
    expect(changed.map(({ id, posted }) => [id, posted])).toEqual([
      ['alice', 0n],
      ['bob', 1_000n],
    ]);
    expect(changed[0]?.usage).toEqual({
      day: '2025-03-31',
      spentToday: 1_000n,
      countToday: 1,
      month: '2025-03-01',
      spentThisMonth: 1_000n,
    });
  });

  it('with a hold if it is captured later', () => {
    const { decision, changed, hold } = decided({ captureMode: 'MANUAL' }, rich(), bob);
    expect(decision.movements[0]?.kind).toBe('HOLD');
    expect(changed).toMatchObject([{ id: 'alice', posted: 1_000n, held: 100n }]);
    expect(hold).toMatchObject({
      amount: 100n,
      captured: 0n,
      remaining: 100n,
      state: 'OPEN',
      expiresAt: new Date('2025-03-31T12:01:00Z'),
      usedIn: { day: '2025-03-31', month: '2025-03-01' },
    });
  });

  it('for an operator, from any account and out of the platform', () => {
    const outside = external('EUR', { posted: -1_000n });
    const { decision, changed } = decided({ ...asOperator, toAccount: outside.id }, rich(), outside);
    expect(decision).toMatchObject({ decline: undefined, toOwnerId: null });
    // A withdrawal is spending: it uses the limits.
    expect(changed[0]?.usage.spentToday).toBe(100n);
  });

  it('for an operator, from its own account to another one, like for every owner', () => {
    const { decision } = decided({ callerRoles: ['operator'] }, rich(), account('bob'));
    expect(decision.decline).toBeUndefined();
  });
});

describe('a deposit', () => {
  const fromOutside = { ...asOperator, fromAccount: 'external:EUR', toAccount: 'alice' };

  it('takes the external account below zero and uses no limit', () => {
    const { decision, changed } = decided(fromOutside, external('EUR'), account('alice'));
    expect(decision.decline).toBeUndefined();
    expect(changed).toMatchObject([{ posted: -100n, usage: NEVER_USED }, { posted: 100n }]);
  });

  it('is declined if all money of a currency together would exceed the cap, so no balance can', () => {
    const full = external('EUR', { posted: -MAX_MINOR + 99n });
    const { decision } = decided(fromOutside, full, account('alice', { posted: MAX_MINOR - 99n }));
    expect(decision.decline).toBe('INSUFFICIENT_BALANCE');
  });

  it('in a currency without accounts has another currency than its account', () => {
    const dollars = { ...fromOutside, fromAccount: 'external:USD', currency: 'USD' };
    expect(decided(dollars, account('alice')).decision.decline).toBe('CURRENCY_MISMATCH');
  });
});
