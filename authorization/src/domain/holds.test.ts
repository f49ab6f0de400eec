import { describe, expect, it } from 'vitest';
import { account } from './account.testing.ts';
import { type Account, NO_LIMITS } from './account.ts';
import { decide } from './decide.ts';
import type { AuthorizationError } from './errors.ts';
import type { Hold } from './hold.ts';
import { NO_RULES } from './judge-rules.ts';
import type { CaptureRequest, RefundRequest, ReleaseRequest } from './step-request.ts';

const NOW = new Date('2025-03-31T12:00:00Z');
const LATER = new Date('2025-03-31T13:00:00Z');

const today = { day: '2025-03-31', month: '2025-03-01' };
/** Alice has 1,000; 600 of it are held for Bob, one of her three payments of today. */
const alice = account('alice', {
  posted: 1_000n,
  held: 600n,
  usage: { ...today, spentToday: 800n, countToday: 3, spentThisMonth: 2_000n },
});
const bob = account('bob');
const hold: Hold = {
  paymentId: 'pay_1',
  fromAccount: 'alice',
  toAccount: 'bob',
  amount: 600n,
  captured: 0n,
  remaining: 600n,
  state: 'OPEN',
  expiresAt: LATER,
  usedIn: today,
  mandateId: undefined,
};
const partlyCaptured: Hold = { ...hold, captured: 200n, remaining: 400n };
const step = { paymentId: 'pay_1', operationId: 'op_1' };

function decided(
  request: CaptureRequest | ReleaseRequest | RefundRequest,
  {
    hold: held = hold,
    accounts = [alice, bob],
    now = NOW,
  }: { hold?: Hold; accounts?: Account[]; now?: Date },
) {
  const books = {
    accounts: new Map(accounts.map((each) => [each.id, each])),
    holds: new Map([[held.paymentId, held]]),
    mandates: new Map(),
  };
  return decide(request, books, { now, holdTtlMs: 1, rules: NO_RULES });
}
const captured = (amount: bigint, final: boolean, books: Parameters<typeof decided>[1] = {}) =>
  decided({ kind: 'CAPTURE', ...step, amount, final }, books);
const released = (cause: ReleaseRequest['cause'], books: Parameters<typeof decided>[1] = {}) =>
  decided({ kind: 'RELEASE', ...step, cause }, books);

const between = { fromAccount: 'alice', toAccount: 'bob' };

describe('a capture', () => {
  it('of a part moves it and leaves the rest held, with all limits used', () => {
    const { decision, changed, hold: afterwards, remaining } = captured(250n, false);
    expect(decision).toMatchObject({ decline: undefined, fromOwnerId: 'usr_alice', toOwnerId: 'usr_bob' });
    expect(decision.movements).toEqual([
      { kind: 'RELEASE', ...between, amount: 250n },
      { kind: 'TRANSFER', ...between, amount: 250n },
    ]);
    expect(changed).toMatchObject([
      { id: 'alice', posted: 750n, held: 350n, usage: alice.usage },
      { id: 'bob', posted: 250n },
    ]);
    expect(afterwards).toMatchObject({ captured: 250n, remaining: 350n, state: 'OPEN' });
    expect(remaining).toBe(350n);
  });

  it('that is final releases the rest, also in the limits, but still counts as one payment of today', () => {
    const { decision, changed, hold: afterwards, remaining } = captured(250n, true);
    expect(decision.movements).toEqual([
      { kind: 'RELEASE', ...between, amount: 600n },
      { kind: 'TRANSFER', ...between, amount: 250n },
    ]);
    expect(changed[0]).toMatchObject({
      posted: 750n,
      held: 0n,
      usage: { spentToday: 450n, countToday: 3, spentThisMonth: 1_650n },
    });
    expect(afterwards).toMatchObject({ captured: 250n, remaining: 0n, state: 'CAPTURED' });
    expect(remaining).toBe(0n);
  });

  it.each([true, false])('of amount 0 takes all that is still held (final: %s)', (final) => {
    const { changed, hold: afterwards } = captured(0n, final, { hold: partlyCaptured });
    expect(changed[1]?.posted).toBe(400n);
    expect(afterwards).toMatchObject({ captured: 600n, remaining: 0n, state: 'CAPTURED' });
  });

  it('does not need an active payer: the money was held while the payer was active', () => {
    const frozen = account('alice', { ...alice, state: 'FROZEN' });
    expect(captured(1n, true, { accounts: [frozen, bob] }).decision.decline).toBeUndefined();
  });

  const ended = (state: Hold['state']): Hold => ({ ...partlyCaptured, remaining: 0n, state });
  it.each([
    ['beyond what is held', 'CAPTURE_EXCEEDS_HOLD', 401n, { hold: partlyCaptured }, /still held/],
    ['from the moment of its expiry', 'HOLD_NOT_OPEN', 1n, { now: LATER }, /expired at 2025-03-31T13:00/],
    ['of what was captured', 'HOLD_NOT_OPEN', 0n, { hold: ended('CAPTURED') }, /was captured/],
    ['of what was cancelled', 'HOLD_NOT_OPEN', 0n, { hold: ended('RELEASED') }, /cancelled/],
    ['of what has expired', 'HOLD_NOT_OPEN', 0n, { hold: ended('EXPIRED') }, /expired/],
    [
      'to an account that was frozen meanwhile',
      'TO_ACCOUNT_NOT_ACTIVE',
      1n,
      { accounts: [alice, account('bob', { state: 'FROZEN' })] },
      /not active/,
    ],
    [
      'to an account that was closed meanwhile',
      'TO_ACCOUNT_CLOSED',
      1n,
      { accounts: [alice, account('bob', { state: 'CLOSED' })] },
      /closed/,
    ],
  ] as const)('is declined %s: %s', (_, code, amount, books, why) => {
    const {
      decision,
      changed,
      hold: afterwards,
    } = captured(amount, true, books as Parameters<typeof decided>[1]);
    expect(decision.decline).toBe(code);
    if (decision.message !== undefined) expect(decision.message).toMatch(why);
    expect(decision.checks.at(-1)).toMatchObject({ passed: false });
    expect([changed, afterwards, decision.movements]).toEqual([[], undefined, []]);
  });

  it('is possible to the last millisecond', () => {
    expect(captured(1n, false, { now: new Date(LATER.getTime() - 1) }).decision.decline).toBeUndefined();
  });
});

describe('a release', () => {
  it('gives back all held money and everything that it used', () => {
    const { decision, changed, hold: afterwards, remaining } = released('CANCEL');
    expect(decision.movements).toEqual([{ kind: 'RELEASE', ...between, amount: 600n }]);
    expect(changed).toMatchObject([
      {
        posted: 1_000n,
        held: 0n,
        usage: { ...today, spentToday: 200n, countToday: 2, spentThisMonth: 1_400n },
      },
    ]);
    expect(afterwards).toMatchObject({ remaining: 0n, captured: 0n, state: 'RELEASED' });
    expect(remaining).toBe(0n);
  });

  it('of a hold of yesterday gives back use of the month, and does not change today', () => {
    const yesterday = { ...hold, usedIn: { day: '2025-03-30', month: '2025-03-01' } };
    expect(released('CANCEL', { hold: yesterday }).changed[0]?.usage).toEqual({
      ...alice.usage,
      spentThisMonth: 1_400n,
    });
  });

  it.each([
    ['EXPIRY', 'EXPIRED', LATER],
    ['CANCEL', 'CAPTURED', NOW],
  ] as const)(
    'by %s releases the rest of a partly captured hold, which still counts as one payment',
    (cause, state, now) => {
      const { changed, hold: afterwards } = released(cause, { hold: partlyCaptured, now });
      expect(changed[0]?.usage).toMatchObject({ spentToday: 400n, countToday: 3 });
      expect(afterwards).toMatchObject({ captured: 200n, remaining: 0n, state });
    },
  );

  it('works for accounts that are frozen or closed', () => {
    const accounts = [account('alice', { ...alice, state: 'FROZEN' }), account('bob', { state: 'CLOSED' })];
    expect(released('CANCEL', { accounts }).decision.decline).toBeUndefined();
  });

  it.each([
    ['as an expiry before its time', 'HOLD_NOT_EXPIRED', 'EXPIRY', { now: new Date(LATER.getTime() - 1) }],
    [
      'where it was given back before',
      'HOLD_NOT_OPEN',
      'CANCEL',
      { hold: { ...hold, remaining: 0n, state: 'RELEASED' } },
    ],
  ] as const)('is declined %s: %s', (_, code, cause, books) => {
    const { decision, changed } = released(cause, books);
    expect(decision.decline).toBe(code);
    expect(changed).toEqual([]);
  });
});

it('a capture or release without a hold is an error, not a decision', () => {
  const other = { hold: { ...hold, paymentId: 'pay_2' } };
  for (const attempt of [() => captured(1n, false, other), () => released('EXPIRY', other)]) {
    expect(attempt).toThrow(expect.objectContaining({ reason: 'HOLD_NOT_FOUND' }) as AuthorizationError);
  }
});

describe('a refund', () => {
  const refund: RefundRequest = {
    kind: 'REFUND',
    ...step,
    fromAccount: 'bob',
    toAccount: 'alice',
    amount: 100n,
    currency: 'EUR',
  };
  const paid = (change: Partial<Account> = {}) => account('bob', { posted: 100n, ...change });

  it('moves the receiver’s money back, and changes no limits of either account', () => {
    const strict = paid({ limits: { ...NO_LIMITS, perPayment: 0n, daily: 0n } });
    const { decision, changed } = decided(refund, { accounts: [alice, strict] });
    expect(decision.movements).toEqual([
      { kind: 'TRANSFER', fromAccount: 'bob', toAccount: 'alice', amount: 100n },
    ]);
    expect(changed).toEqual([
      { ...strict, posted: 0n },
      { ...alice, posted: 1_100n },
    ]);
  });

  it.each([
    ['above the balance', 'INSUFFICIENT_BALANCE', [alice, paid({ posted: 99n })]],
    ['of money held for another payment', 'INSUFFICIENT_BALANCE', [alice, paid({ held: 1n })]],
    ['from a frozen account', 'FROM_ACCOUNT_NOT_ACTIVE', [alice, paid({ state: 'FROZEN' })]],
    ['from a closed account', 'FROM_ACCOUNT_CLOSED', [alice, paid({ state: 'CLOSED' })]],
    ['to a frozen account', 'TO_ACCOUNT_NOT_ACTIVE', [account('alice', { state: 'FROZEN' }), paid()]],
    ['to a closed account', 'TO_ACCOUNT_CLOSED', [account('alice', { state: 'CLOSED' }), paid()]],
    ['in another currency', 'CURRENCY_MISMATCH', [account('alice', { currency: 'USD' }), paid()]],
    ['from an unknown account', 'FROM_ACCOUNT_NOT_FOUND', [alice]],
    ['to an unknown account', 'TO_ACCOUNT_NOT_FOUND', [paid()]],
  ] as const)('is declined %s: %s', (_, code, accounts) => {
    const { decision, changed } = decided(refund, { accounts: [...accounts] });
    expect(decision.decline).toBe(code);
    expect(changed).toEqual([]);
  });
});
