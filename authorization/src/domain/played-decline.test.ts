import { PLAYED_DECLINES } from '@payflowx/proto/sandbox';
import { describe, expect, it } from 'vitest';
import { account } from './account.testing.ts';
import { type Account, externalAccountId } from './account.ts';
import { authorize } from './authorize.ts';
import { NO_RULES } from './judge-rules.ts';
import { paymentRequest } from './payment-request.testing.ts';
import type { PaymentRequest } from './step-request.ts';

const NOW = new Date('2025-03-31T12:00:00Z');
const CONTEXT = { now: NOW, holdTtlMs: 60_000, rules: NO_RULES, sandbox: true };
const usage = {
  day: '2025-03-31',
  spentToday: 450n,
  countToday: 3,
  month: '2025-03-01',
  spentThisMonth: 800n,
};
const alice = account('alice', { posted: 1_000n, usage });
const bob = account('bob');

function decided(change: Partial<PaymentRequest>, sandbox = true, accounts: Account[] = [alice, bob]) {
  const books = {
    accounts: new Map(accounts.map((each) => [each.id, each])),
    holds: new Map(),
    mandates: new Map(),
  };
  return authorize(paymentRequest(change), books, { ...CONTEXT, sandbox });
}

const play = (code: string) => decided({ reference: `sandbox:decline:${code}` });

describe('a magic reference', () => {
  it.each(PLAYED_DECLINES)('declines a payment that would pass, with %s', (code) => {
    const { decision, changed, hold, basis } = play(code);
    expect(decision).toMatchObject({ decline: code, movements: [], decidedAt: NOW });
    expect(decision.checks.filter(({ passed }) => !passed).map(({ name }) => name)).toEqual(['sandbox']);
    expect({ changed, hold, basis }).toEqual({ changed: [], hold: undefined, basis: undefined });
  });

  it('gives a limit that is used up, as the real decline does', () => {
    const limitOf = (code: string) => play(code).decision.limit;
    const midnight = new Date('2025-04-01T00:00:00Z');
    expect(limitOf('DAILY_LIMIT_EXCEEDED')).toEqual({ limit: 450n, used: 450n, resetsAt: midnight });
    expect(limitOf('MONTHLY_LIMIT_EXCEEDED')).toEqual({ limit: 800n, used: 800n, resetsAt: midnight });
    expect(limitOf('DAILY_COUNT_EXCEEDED')).toEqual({ limit: 3n, used: 3n, resetsAt: midnight });
    const { amount } = paymentRequest({});
    const perPayment = { limit: amount - 1n, used: 0n, resetsAt: undefined };
    expect(limitOf('PER_PAYMENT_LIMIT_EXCEEDED')).toEqual(perPayment);
    expect(limitOf('INSUFFICIENT_BALANCE')).toBeUndefined();
  });

  it('names the owners that the real decline names', () => {
    const ownersOf = (code: string) => {
      const { fromOwnerId, toOwnerId } = play(code).decision;
      return [fromOwnerId, toOwnerId];
    };
    expect(ownersOf('FROM_ACCOUNT_NOT_FOUND')).toEqual([null, null]);
    expect(ownersOf('MANDATE_NOT_FOUND')).toEqual([null, null]);
    expect(ownersOf('TO_ACCOUNT_NOT_FOUND')).toEqual([alice.ownerId, null]);
    expect(ownersOf('RULE_DECLINED')).toEqual([alice.ownerId, bob.ownerId]);
  });

  it('does not show another owner’s account: its decline is that of every stranger', () => {
    const stranger = { callerId: 'usr_stranger', reference: 'sandbox:decline:RULE_DECLINED' };
    expect(decided(stranger).decision.decline).toBe('FROM_ACCOUNT_NOT_FOUND');
  });

  it('is an ordinary text without the sandbox, in a deposit, and with unknown words', () => {
    const reference = 'sandbox:decline:RULE_DECLINED';
    expect(decided({ reference }, false).decision.decline).toBeUndefined();
    expect(decided({ reference: 'sandbox:decline:NO_SUCH_CODE' }).decision.decline).toBeUndefined();
    const outside = externalAccountId('EUR');
    const external = account(outside, { ownerId: null, isExternal: true });
    const asOperator = { callerId: 'usr_op', callerRoles: ['operator'] } as const;
    const deposit = { ...asOperator, reference, fromAccount: outside, toAccount: 'bob' };
    expect(decided(deposit, true, [external, bob]).decision.decline).toBeUndefined();
  });
});
