import { describe, expect, it } from 'vitest';
import { account } from './account.testing.ts';
import { NO_LIMITS } from './account.ts';
import { factsOf } from './facts.ts';
import { MAX_MINOR } from './money.ts';
import { paymentRequest } from './payment-request.testing.ts';
import { NEVER_USED } from './usage.ts';

const NOW = new Date('2025-03-31T12:00:00Z');
const DAY_MS = 86_400_000;
const request = paymentRequest({
  operationId: 'op_1',
  callerRoles: ['customer', 'auditor'],
  description: 'Lunch',
  reference: 'order-7',
  metadata: { table: '4' },
});
const alice = account('alice', { posted: 700n, held: 200n, createdAt: new Date(NOW.getTime() - 2 * DAY_MS) });
const bob = account('bob', { state: 'FROZEN', currency: 'USD', createdAt: NOW });
const external = account('external:EUR', { ownerId: null, isExternal: true, posted: -900n });
const known = { request, from: alice, to: bob, usage: NEVER_USED, now: NOW };

describe('the facts of a payment', () => {
  it('are the request, both accounts before it, and the use of limits', () => {
    const usage = { ...NEVER_USED, spentToday: 11n, spentThisMonth: 22n, countToday: 3 };
    const limits = { perPayment: 1n, daily: 2n, monthly: 3n, dailyCount: 4 };
    expect(factsOf({ ...known, usage, from: { ...alice, limits } })).toEqual({
      payment: {
        id: 'pay_1',
        kind: 'payment',
        amount: 100n,
        currency: 'EUR',
        capture: 'automatic',
        description: 'Lunch',
        reference: 'order-7',
      },
      metadata: { table: '4' },
      from: {
        id: 'alice',
        owner: 'usr_alice',
        currency: 'EUR',
        state: 'ACTIVE',
        posted: 700n,
        held: 200n,
        available: 500n,
        age_days: 2n,
      },
      to: {
        id: 'bob',
        owner: 'usr_bob',
        currency: 'USD',
        state: 'FROZEN',
        posted: 0n,
        held: 0n,
        available: 0n,
        age_days: 0n,
      },
      usage: { daily: 11n, monthly: 22n, daily_count: 3n },
      limits: { per_payment: 1n, daily: 2n, monthly: 3n, daily_count: 4n },
      caller: { id: 'usr_alice', roles: ['customer', 'auditor'] },
      now: NOW,
    });
  });

  it('have no limit that is not set, and a limit of 0 is set', () => {
    expect(factsOf(known).limits).toEqual({
      per_payment: undefined,
      daily: undefined,
      monthly: undefined,
      daily_count: undefined,
    });
    const none = { perPayment: 0n, daily: 0n, monthly: 0n, dailyCount: 0 };
    expect(factsOf({ ...known, from: { ...alice, limits: { ...NO_LIMITS, ...none } } }).limits).toEqual({
      per_payment: 0n,
      daily: 0n,
      monthly: 0n,
      daily_count: 0n,
    });
  });

  it('tell a deposit from a withdrawal, and a hold from a transfer', () => {
    expect(factsOf({ ...known, from: external }).payment.kind).toBe('deposit');
    expect(factsOf({ ...known, to: external }).payment.kind).toBe('withdrawal');
    expect(factsOf({ ...known, request: { ...request, captureMode: 'MANUAL' } }).payment.capture).toBe(
      'manual',
    );
  });

  it('show the external account without an owner, and with what it owes', () => {
    expect(factsOf({ ...known, from: external }).from).toMatchObject({ owner: '', available: -900n });
  });

  it('count whole days of age, and none for an account from the future', () => {
    const ageAfter = (ms: number) =>
      factsOf({ ...known, now: new Date(alice.createdAt.getTime() + ms) }).from.age_days;
    expect([DAY_MS - 1, DAY_MS, -1, -5 * DAY_MS].map(ageAfter)).toEqual([0n, 1n, 0n, 0n]);
  });

  it('show sums beyond the cap as the cap', () => {
    const usage = { ...NEVER_USED, spentToday: MAX_MINOR + 5n, spentThisMonth: MAX_MINOR + 6n };
    expect(factsOf({ ...known, usage }).usage).toMatchObject({ daily: MAX_MINOR, monthly: MAX_MINOR });
  });
});
