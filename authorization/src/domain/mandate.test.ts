import { describe, expect, it } from 'vitest';
import { account } from './account.testing.ts';
import type { Account } from './account.ts';
import { authorize, authorizeByMandate } from './authorize.ts';
import { decide } from './decide.ts';
import type { Decided } from './decision-context.ts';
import { NO_RULES } from './judge-rules.ts';
import { type Mandate, sameTerms, stateAt } from './mandate.ts';
import { paymentRequest } from './payment-request.testing.ts';
import type { PaymentRequest } from './step-request.ts';
import { NEVER_USED } from './usage.ts';

const NOW = new Date('2025-03-31T12:00:00Z');
const LATER = new Date('2025-04-30T12:00:00Z');
const CONTEXT = { now: NOW, holdTtlMs: 60_000, rules: NO_RULES };
const TODAY = { day: '2025-03-31', month: '2025-03-01' };

const MANDATE: Mandate = {
  id: 'man_1',
  fromAccount: 'alice',
  toAccount: 'bob',
  limits: { perPayment: 300n, daily: 500n, monthly: 800n },
  validUntil: LATER,
  revokedAt: undefined,
  usage: NEVER_USED,
};
const alice = account('alice', { posted: 1_000n });
const bob = account('bob');

const collection = (change: Partial<PaymentRequest> = {}) =>
  paymentRequest({ callerId: 'usr_bob', mandateId: 'man_1', ...change });

function booksWith(mandate: Partial<Mandate> = {}, accounts: Account[] = [alice, bob]) {
  return {
    accounts: new Map(accounts.map((each) => [each.id, each])),
    holds: new Map(),
    mandates: new Map([[MANDATE.id, { ...MANDATE, ...mandate }]]),
  };
}

const collected = (
  change: Partial<PaymentRequest>,
  mandate: Partial<Mandate> = {},
  accounts = [alice, bob],
) => authorize(collection(change), booksWith(mandate, accounts), CONTEXT);

const used = (spentToday: bigint, spentThisMonth = spentToday, windows = TODAY) => ({
  usage: { ...windows, spentToday, countToday: 0, spentThisMonth },
});

const outcomeOf = ({ decision }: Decided) => decision.decline ?? 'APPROVED';

describe('a collection', () => {
  it('moves the payer’s money, and counts in the limits of the account and of the mandate', () => {
    const { decision, changed, mandate } = collected({ amount: 200n });
    expect(decision).toMatchObject({ decline: undefined, fromOwnerId: 'usr_alice', toOwnerId: 'usr_bob' });
    expect(decision.checks.map(({ name }) => name)).toEqual([
      ...['mandate', 'mandate_state', 'mandate.per_payment', 'mandate.daily', 'mandate.monthly'],
      ...['from_state', 'to_state', 'currency', 'balance'],
    ]);
    expect(changed.map(({ posted }) => posted)).toEqual([800n, 200n]);
    expect(changed[0]?.usage).toMatchObject({ ...TODAY, spentToday: 200n, spentThisMonth: 200n });
    expect(mandate?.usage).toMatchObject({ ...TODAY, spentToday: 200n, spentThisMonth: 200n });
  });

  it.each<[string, Partial<PaymentRequest>, Partial<Mandate>, string]>([
    ['of exactly the limit for one payment', { amount: 300n }, {}, 'APPROVED'],
    ['above the limit for one payment', { amount: 301n }, {}, 'MANDATE_LIMIT_EXCEEDED'],
    ['that uses up the day', { amount: 100n }, used(400n), 'APPROVED'],
    ['above what is left of the day', { amount: 101n }, used(400n), 'MANDATE_LIMIT_EXCEEDED'],
    ['that uses up the month', { amount: 100n }, used(0n, 700n), 'APPROVED'],
    ['above what is left of the month', { amount: 101n }, used(0n, 700n), 'MANDATE_LIMIT_EXCEEDED'],
    [
      'on the day after the limit was used up',
      { amount: 300n },
      used(500n, 500n, { ...TODAY, day: '2025-03-30' }),
      'APPROVED',
    ],
    ['in the last moment', {}, { validUntil: new Date(NOW.getTime() + 1) }, 'APPROVED'],
    ['from the end on', {}, { validUntil: NOW }, 'MANDATE_NOT_ACTIVE'],
    ['after the revocation', {}, { revokedAt: NOW }, 'MANDATE_NOT_ACTIVE'],
    [
      'without limits',
      { amount: 1_000n },
      { limits: { perPayment: null, daily: null, monthly: null } },
      'APPROVED',
    ],
  ])('%s', (_, change, mandate, outcome) => {
    expect(outcomeOf(collected(change, mandate))).toBe(outcome);
  });

  it('that is declined by the mandate says which limit, and has no figures of the payer', () => {
    const { decision } = collected({ amount: 101n }, used(400n));
    expect(decision).toMatchObject({
      message: 'The amount is above what is left of the daily limit of this mandate.',
      limit: { limit: 500n, used: 400n, resetsAt: new Date('2025-04-01T00:00:00Z') },
    });
    expect(decision.checks.at(-1)).toEqual({
      name: 'mandate.daily',
      passed: false,
      inputs: { wanted: '101', used: '400', limit: '500' },
    });
  });

  it('is decided by the payer’s account after the mandate', () => {
    expect(outcomeOf(collected({ amount: 300n }, {}, [{ ...alice, posted: 299n }, bob]))).toBe(
      'INSUFFICIENT_BALANCE',
    );
    const limits = { perPayment: null, daily: 100n, monthly: null, dailyCount: null };
    expect(outcomeOf(collected({ amount: 101n }, {}, [{ ...alice, limits }, bob]))).toBe(
      'DAILY_LIMIT_EXCEEDED',
    );
    expect(outcomeOf(collected({}, { revokedAt: NOW }, [{ ...alice, state: 'CLOSED' }, bob]))).toBe(
      'MANDATE_NOT_ACTIVE',
    );
  });

  it.each<[string, Partial<PaymentRequest>]>([
    ['by a mandate that does not exist', { mandateId: 'man_2' }],
    ['by an outsider', { callerId: 'usr_eve' }],
    ['by the payer, who may pay without it', { callerId: 'usr_alice' }],
    ['by an operator who is the payer', { callerId: 'usr_alice', callerRoles: ['operator'] }],
    ['from another account', { fromAccount: 'carol' }],
    ['into another account of the payee', { toAccount: 'bobs' }],
  ])('%s gets the same answer, without owners or figures', (_, change) => {
    const others = [account('carol'), account('bobs', { ownerId: 'usr_bob' })];
    const { decision } = collected(change, {}, [alice, bob, ...others]);
    expect(decision).toMatchObject({
      decline: 'MANDATE_NOT_FOUND',
      fromOwnerId: null,
      toOwnerId: null,
      checks: [{ name: 'mandate', passed: false, inputs: {} }],
    });
  });

  it('may be made by an operator for the payee, and by a payee who is an operator too', () => {
    expect(outcomeOf(collected({ callerId: 'usr_op', callerRoles: ['operator'] }))).toBe('APPROVED');
    expect(outcomeOf(collected({ callerRoles: ['operator'] }))).toBe('APPROVED');
  });
});

describe('a collection that holds money', () => {
  const held = collected({ amount: 300n, captureMode: 'MANUAL' });
  const hold = held.hold as NonNullable<Decided['hold']>;
  const books = {
    accounts: new Map([...held.changed, bob].map((each) => [each.id, each])),
    holds: new Map([[hold.paymentId, hold]]),
    mandates: new Map([[MANDATE.id, held.mandate as Mandate]]),
  };
  const step = { paymentId: 'pay_1', operationId: 'op_1' };

  it('counts the whole amount at once', () => {
    expect(hold.mandateId).toBe('man_1');
    expect(held.mandate?.usage.spentToday).toBe(300n);
  });

  it('gives all of it back when it is released, also to a mandate that was revoked meanwhile', () => {
    const revoked = { ...(held.mandate as Mandate), revokedAt: NOW };
    const mandates = new Map([[MANDATE.id, revoked]]);
    const { mandate } = decide(
      { kind: 'RELEASE', ...step, cause: 'CANCEL' },
      { ...books, mandates },
      CONTEXT,
    );
    expect(mandate).toMatchObject({ revokedAt: NOW, usage: { spentToday: 0n, spentThisMonth: 0n } });
  });

  it('gives the rest of a final capture back', () => {
    const { mandate } = decide({ kind: 'CAPTURE', ...step, amount: 120n, final: true }, books, CONTEXT);
    expect(mandate?.usage).toMatchObject({ spentToday: 120n, spentThisMonth: 120n });
  });

  it('gives only the month back on a later day', () => {
    const later = { ...(held.mandate as Mandate), ...used(200n, 500n, { ...TODAY, day: '2025-04-01' }) };
    const mandates = new Map([[MANDATE.id, later]]);
    const { mandate } = decide(
      { kind: 'RELEASE', ...step, cause: 'CANCEL' },
      { ...books, mandates },
      CONTEXT,
    );
    expect(mandate?.usage).toMatchObject({ spentToday: 200n, spentThisMonth: 200n });
  });

  it('can be captured after the revocation, because the money was held before', () => {
    const mandates = new Map([[MANDATE.id, { ...MANDATE, revokedAt: NOW }]]);
    const { decision } = decide(
      { kind: 'CAPTURE', ...step, amount: 0n, final: false },
      { ...books, mandates },
      CONTEXT,
    );
    expect(decision.decline).toBeUndefined();
  });

  it('can be released if its mandate was lost', () => {
    const { decision, mandate } = decide(
      { kind: 'RELEASE', ...step, cause: 'CANCEL' },
      { ...books, mandates: new Map() },
      CONTEXT,
    );
    expect([decision.decline, mandate]).toEqual([undefined, undefined]);
  });
});

describe('a simulation for the payee', () => {
  const simulated = (change: Partial<PaymentRequest>, mandate: Partial<Mandate> = {}) =>
    authorizeByMandate(collection(change), booksWith(mandate, [{ ...alice, posted: 0n }, bob]), CONTEXT);

  it('says nothing about the payer’s account', () => {
    const { decision, changed } = simulated({ amount: 300n });
    expect(decision.decline).toBeUndefined();
    expect(decision.checks.every(({ name }) => name.startsWith('mandate'))).toBe(true);
    expect([decision.movements, changed]).toEqual([[], []]);
  });

  it('has the declines of the mandate', () => {
    expect(outcomeOf(simulated({ amount: 301n }))).toBe('MANDATE_LIMIT_EXCEEDED');
    expect(outcomeOf(simulated({}, { revokedAt: NOW }))).toBe('MANDATE_NOT_ACTIVE');
    expect(outcomeOf(simulated({ callerId: 'usr_eve' }))).toBe('MANDATE_NOT_FOUND');
  });
});

it('stays revoked after its end', () => {
  const after = new Date(LATER.getTime() + 1);
  expect(stateAt(MANDATE, NOW)).toBe('ACTIVE');
  expect(stateAt(MANDATE, LATER)).toBe('EXPIRED');
  expect(stateAt({ ...MANDATE, revokedAt: NOW }, after)).toBe('REVOKED');
});

it.each([
  ['fromAccount', 'x'],
  ['toAccount', 'x'],
  ['validUntil', NOW],
  ['reference', 'x'],
  ['limits', { ...MANDATE.limits, perPayment: 1n }],
  ['limits', { ...MANDATE.limits, daily: null }],
  ['limits', { ...MANDATE.limits, monthly: 1n }],
])('is another request with another %s', (field, value) => {
  const terms = { ...MANDATE, reference: '' };
  expect(sameTerms(terms, { ...terms, validUntil: new Date(LATER) })).toBe(true);
  expect(sameTerms(terms, { ...terms, [field]: value })).toBe(false);
});
