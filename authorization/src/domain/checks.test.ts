import { describe, expect, it } from 'vitest';
import { account } from './account.testing.ts';
import { type Account, available, externalAccountId, unopenedExternal } from './account.ts';
import { authorize } from './authorize.ts';
import { decide } from './decide.ts';
import { isId } from './ids.ts';
import { NO_RULES } from './judge-rules.ts';
import { isPayable, MAX_MINOR } from './money.ts';
import { paymentRequest } from './payment-request.testing.ts';
import type { PaymentRequest, StepRequest } from './step-request.ts';
import { NEVER_USED } from './usage.ts';

const NOW = new Date('2025-03-31T12:00:00Z');
const LATER = new Date('2025-03-31T13:00:00Z');
const CONTEXT = { now: NOW, holdTtlMs: 60_000, rules: NO_RULES };
const payment = paymentRequest();
const usage = {
  day: '2025-03-31',
  spentToday: 450n,
  countToday: 3,
  month: '2025-03-01',
  spentThisMonth: 800n,
};
const limits = { perPayment: 100n, daily: 550n, monthly: 900n, dailyCount: 4 };
const alice = account('alice', { posted: 1_000n, held: 50n, limits, usage });
const bob = account('bob', { posted: 77n });

function checksOf(request: StepRequest, ...accounts: Account[]) {
  const holds = new Map([
    [
      'pay_1',
      {
        paymentId: 'pay_1',
        fromAccount: 'alice',
        toAccount: 'bob',
        amount: 50n,
        captured: 20n,
        remaining: 30n,
        state: 'OPEN' as const,
        expiresAt: LATER,
        usedIn: undefined,
        mandateId: undefined,
      },
    ],
  ]);
  const books = { accounts: new Map(accounts.map((each) => [each.id, each])), holds, mandates: new Map() };
  return decide(request, books, CONTEXT).decision;
}

const YES = { passed: true, inputs: {} };
const KNOWN = [
  { name: 'from_account', ...YES },
  { name: 'to_account', ...YES },
];
const STATES = [
  { name: 'from_state', passed: true, inputs: { state: 'ACTIVE' } },
  { name: 'to_state', ...YES },
  { name: 'currency', passed: true, inputs: { payment: 'EUR', from_account: 'EUR' } },
];

describe('the trace of a decision', () => {
  it('of a payment has every check with the figures of the payer, and none of the receiver', () => {
    expect(checksOf(payment, alice, bob).checks).toEqual([
      ...KNOWN,
      ...STATES,
      { name: 'limit.per_payment', passed: true, inputs: { wanted: '100', used: '0', limit: '100' } },
      { name: 'limit.daily', passed: true, inputs: { wanted: '100', used: '450', limit: '550' } },
      { name: 'limit.monthly', passed: true, inputs: { wanted: '100', used: '800', limit: '900' } },
      { name: 'limit.daily_count', passed: true, inputs: { wanted: '1', used: '3', limit: '4' } },
      { name: 'balance', passed: true, inputs: { amount: '100', posted: '1000', held: '50' } },
    ]);
  });

  it('of a payment without limits has no checks of limits', () => {
    const free = account('alice', { posted: 100n });
    const names = checksOf(payment, free, bob).checks.map(({ name }) => name);
    expect(names).toEqual(['from_account', 'to_account', 'from_state', 'to_state', 'currency', 'balance']);
  });

  it.each<[string, Partial<PaymentRequest>, Account[], string[]]>([
    ['an unknown payer', {}, [bob], ['from_account']],
    ['an unknown receiver', {}, [alice], ['from_account', 'to_account']],
    [
      'an operator who pays itself',
      { callerId: 'usr_bob', callerRoles: ['operator'] },
      [alice, bob],
      ['from_account', 'to_account', 'own_account'],
    ],
  ])('stops at the first failure: %s', (_, change, accounts, names) => {
    const { checks } = checksOf({ ...payment, ...change }, ...accounts);
    expect(checks).toEqual(
      names.map((name, index) => ({ name, passed: index < names.length - 1, inputs: {} })),
    );
  });

  it('of a capture has the end of the hold and its rest', () => {
    const step = { paymentId: 'pay_1', operationId: 'op_1' };
    expect(checksOf({ kind: 'CAPTURE', ...step, amount: 30n, final: true }, alice, bob).checks).toEqual([
      { name: 'hold_state', passed: true, inputs: { state: 'OPEN' } },
      { name: 'hold_time', passed: true, inputs: { expires_at: LATER.toISOString() } },
      { name: 'to_state', ...YES },
      { name: 'held_amount', passed: true, inputs: { amount: '30', remaining: '30' } },
    ]);
    expect(checksOf({ kind: 'RELEASE', ...step, cause: 'EXPIRY' }, alice, bob).checks).toEqual([
      { name: 'hold_state', passed: true, inputs: { state: 'OPEN' } },
      { name: 'hold_time', passed: false, inputs: { expires_at: LATER.toISOString() } },
    ]);
    expect(checksOf({ kind: 'RELEASE', ...step, cause: 'CANCEL' }, alice, bob).checks).toHaveLength(1);
  });

  it('of a refund has the figures of the account that returns the money', () => {
    const back = { fromAccount: 'bob', toAccount: 'alice', amount: 77n, currency: 'EUR' };
    const refund = { kind: 'REFUND', paymentId: 'pay_1', operationId: 'ref_1', ...back } as const;
    expect(checksOf(refund, alice, bob).checks).toEqual([
      ...KNOWN,
      ...STATES,
      { name: 'balance', passed: true, inputs: { amount: '77', posted: '77', held: '0' } },
    ]);
    expect(checksOf(refund, bob).checks).toEqual([
      { name: 'from_account', ...YES },
      { name: 'to_account', passed: false, inputs: {} },
    ]);
    expect(checksOf(refund, alice).checks).toEqual([{ name: 'from_account', passed: false, inputs: {} }]);
  });
});

describe('a declined limit', () => {
  it.each([
    ['per_payment', { perPayment: 99n }, { limit: 99n, used: 0n, resetsAt: undefined }],
    ['daily', { daily: 549n }, { limit: 549n, used: 450n, resetsAt: new Date('2025-04-01T00:00:00Z') }],
    ['monthly', { monthly: 899n }, { limit: 899n, used: 800n, resetsAt: new Date('2025-04-01T00:00:00Z') }],
    ['daily_count', { dailyCount: 3 }, { limit: 3n, used: 3n, resetsAt: new Date('2025-04-01T00:00:00Z') }],
  ])('%s comes with the limit, the use, and the end of its window', (name, change, limit) => {
    const strict = { ...alice, limits: { ...limits, ...change } };
    const decision = checksOf(payment, strict, bob);
    expect(decision.limit).toEqual(limit);
    expect(decision.checks.at(-1)).toMatchObject({ name: `limit.${name}`, passed: false });
  });
});

describe('the end of a hold', () => {
  const until = new Date('2025-04-02T00:00:00Z');
  it.each<[string, Partial<PaymentRequest>, Date]>([
    ['counts its seconds from the decision', { holdSeconds: 30 }, new Date(NOW.getTime() + 30_000)],
    ['prefers the seconds', { holdSeconds: 1, holdExpiresAt: until }, new Date(NOW.getTime() + 1_000)],
    ['is the given moment without seconds', { holdExpiresAt: until }, until],
    ['is the default of the platform', {}, new Date(NOW.getTime() + 60_000)],
  ])('%s', (_, change, end) => {
    const request = { ...payment, captureMode: 'MANUAL' as const, ...change };
    const books = {
      accounts: new Map([alice, bob].map((each) => [each.id, each])),
      ...{ holds: new Map(), mandates: new Map() },
    };
    const { decision, hold } = authorize(request, books, CONTEXT);
    expect([decision.holdExpiresAt, hold?.expiresAt]).toEqual([end, end]);
    const transfer = authorize({ ...request, captureMode: 'AUTOMATIC' }, books, CONTEXT);
    expect([transfer.decision.holdExpiresAt, transfer.hold, transfer.remaining]).toEqual([
      undefined,
      undefined,
      0n,
    ]);
  });
});

describe('an external account that was never opened', () => {
  it('starts empty, without an owner and limits', () => {
    expect(unopenedExternal(externalAccountId('EUR'), NOW)).toEqual({
      id: 'external:EUR',
      ownerId: null,
      currency: 'EUR',
      isExternal: true,
      state: 'ACTIVE',
      limits: { perPayment: null, daily: null, monthly: null, dailyCount: null },
      timeZone: 'UTC',
      posted: 0n,
      held: 0n,
      usage: NEVER_USED,
      createdAt: NOW,
      decidedAt: undefined,
    });
  });

  it.each(['external:EURO', 'external:eur', 'xexternal:EUR', 'external:EU', 'acct_1'])('is not %s', (id) =>
    expect(unopenedExternal(id, NOW)).toBeUndefined(),
  );

  it('may spend up to the cap', () => {
    const external = account('external:EUR', { isExternal: true, posted: -40n, held: 2n });
    expect(available(external)).toBe(MAX_MINOR - 42n);
    expect(available(account('alice', { posted: 40n, held: 2n }))).toBe(38n);
  });
});

it('an amount is 1 to the cap', () => {
  expect([0n, 1n, MAX_MINOR, MAX_MINOR + 1n, -1n].map(isPayable)).toEqual([false, true, true, false, false]);
});

it('an id has 1 to 64 visible characters of ASCII', () => {
  expect(['!', '~', 'x'.repeat(64)].every(isId)).toBe(true);
  expect(['', ' ', 'a b', 'é', '\x7f', 'x'.repeat(65), 'a\n', ' a'].some(isId)).toBe(false);
});
