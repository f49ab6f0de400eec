import { describe, expect, it } from 'vitest';
import { account } from './account.testing.ts';
import { type Account, unopenedExternal } from './account.ts';
import { decide } from './decide.ts';
import type { Books } from './decision-context.ts';
import type { Hold } from './hold.ts';
import { NO_RULES } from './judge-rules.ts';
import type { Mandate } from './mandate.ts';
import { type PastDecision, replay } from './past-decision.ts';
import { paymentRequest } from './payment-request.testing.ts';
import type { StepRequest } from './step-request.ts';
import { NEVER_USED } from './usage.ts';

const NOW = new Date('2025-03-31T12:00:00Z');
const HOLD_MS = 3_600_000;
const AFTER_HOLD = new Date(NOW.getTime() + HOLD_MS);
const step = { paymentId: 'pay_1', operationId: 'op_1' };
const NO_OWNERS = { from: undefined, to: undefined };

const MANDATE: Mandate = {
  ...{ id: 'man_1', fromAccount: 'alice', toAccount: 'bob', revokedAt: undefined, validUntil: AFTER_HOLD },
  ...{ limits: { perPayment: null, daily: 1_000n, monthly: null }, usage: NEVER_USED },
};

const booksOf = (accounts: readonly Account[], holds: readonly Hold[] = []): Books => ({
  accounts: new Map(accounts.map((each) => [each.id, each])),
  holds: new Map(holds.map((each) => [each.paymentId, each])),
  mandates: new Map([[MANDATE.id, MANDATE]]),
});
const startOf = () => {
  const external = unopenedExternal('external:EUR', NOW);
  if (!external) throw new Error('no external account');
  // Tokyo: the day of the limits is not the day in UTC.
  return booksOf([account('alice', { posted: 1_000n, timeZone: 'Asia/Tokyo' }), account('bob'), external]);
};
const after = (
  books: Books,
  changed: readonly Account[],
  { hold, mandate }: { hold: Hold | undefined; mandate?: Mandate | undefined },
): Books => ({
  accounts: new Map([...books.accounts, ...changed.map((each): [string, Account] => [each.id, each])]),
  holds: new Map([...books.holds, ...(hold ? [[hold.paymentId, hold] as const] : [])]),
  mandates: new Map([...books.mandates, ...(mandate ? [[mandate.id, mandate] as const] : [])]),
});
/** As it is stored: decisions are dated by the caller of `decide`. */
const dated = (accounts: readonly Account[], decidedAt: Date) =>
  accounts.map((each) => (each.isExternal ? each : { ...each, decidedAt }));
const byId = (accounts: readonly Account[]) => accounts.toSorted((a, b) => (a.id < b.id ? -1 : 1));

const manual = paymentRequest({ captureMode: 'MANUAL', amount: 600n });
const capture = (amount: bigint, final: boolean): StepRequest => ({
  kind: 'CAPTURE',
  ...step,
  amount,
  final,
});
const cancel: StepRequest = { kind: 'RELEASE', ...step, cause: 'CANCEL' };
const expiry: StepRequest = { kind: 'RELEASE', ...step, cause: 'EXPIRY' };
const external = { ...{ callerId: 'usr_op', callerRoles: ['operator'] as const }, amount: 500n };

/** Steps with their times. Each is decided, and then the decision is replayed on books that lack it. */
describe('a decision that is replayed ends where it ended before', () => {
  const deposit = paymentRequest({ ...external, fromAccount: 'external:EUR', toAccount: 'alice' });
  const collected = paymentRequest({ callerId: 'usr_bob', mandateId: 'man_1', amount: 600n });
  it.each<[string, StepRequest[]]>([
    ['a payment', [paymentRequest()]],
    ['a deposit', [deposit]],
    ['a collection by a mandate', [collected]],
    ['a held collection that was cancelled', [{ ...collected, captureMode: 'MANUAL' }, cancel]],
    [
      'a held collection of which a part was captured',
      [{ ...collected, captureMode: 'MANUAL' }, capture(200n, true)],
    ],
    ['a withdrawal', [paymentRequest({ ...external, toAccount: 'external:EUR' })]],
    ['a capture of all', [manual, capture(0n, false)]],
    ['captures of parts, and of the rest', [manual, capture(200n, false), capture(400n, false)]],
    ['a capture of a part that releases the rest', [manual, capture(200n, true)]],
    ['a cancel', [manual, cancel]],
    ['a cancel after a capture', [manual, capture(200n, false), cancel]],
    ['an expiry', [manual, expiry]],
    ['an expiry after a capture', [manual, capture(200n, false), expiry]],
    ['a held deposit that was cancelled', [{ ...deposit, captureMode: 'MANUAL' }, cancel]],
    [
      'a refund',
      [
        paymentRequest(),
        { kind: 'REFUND', ...step, fromAccount: 'bob', toAccount: 'alice', amount: 60n, currency: 'EUR' },
      ],
    ],
  ])('%s', (_, requests) => {
    let books = startOf();
    for (const request of requests) {
      const now = request === expiry ? AFTER_HOLD : NOW;
      const { decision, changed, hold, mandate, remaining } = decide(request, books, {
        ...{ now, holdTtlMs: HOLD_MS, rules: NO_RULES },
      });
      expect(decision.decline).toBeUndefined();
      const { holdExpiresAt, ...rest } = decision;
      const past = { ...rest, request, holdExpiresAt, owners: NO_OWNERS };
      const replayed = replay(past, books);
      expect(byId(replayed.changed)).toEqual(byId(dated(changed, now)));
      expect(replayed.hold).toEqual(hold);
      expect(replayed.mandate).toEqual(mandate);
      expect(replayed.remaining).toBe(remaining);
      books = after(books, dated(changed, now), { hold, mandate });
    }
  });
});

describe('a past decision', () => {
  const openHold = (changes: Partial<Hold> = {}): Hold => ({
    ...{ paymentId: 'pay_1', fromAccount: 'alice', toAccount: 'bob', amount: 600n, captured: 0n },
    ...{ remaining: 600n, state: 'OPEN', expiresAt: AFTER_HOLD },
    ...{ usedIn: undefined, mandateId: undefined },
    ...changes,
  });
  const past = (request: StepRequest, changes: Partial<PastDecision> = {}): PastDecision => ({
    ...{ request, decline: undefined, movements: [], decidedAt: NOW },
    ...{ holdExpiresAt: undefined, owners: NO_OWNERS },
    ...changes,
  });
  const move = (kind: 'RELEASE' | 'TRANSFER', amount: bigint) =>
    ({ kind, fromAccount: 'alice', toAccount: 'bob', amount }) as const;
  const accounts = [account('alice', { posted: 1_000n, held: 600n }), account('bob')];

  it('that declined a step changes nothing, and leaves what is held', () => {
    const declined = past(capture(700n, false), { decline: 'CAPTURE_EXCEEDS_HOLD' });
    const held = booksOf(accounts, [openHold({ remaining: 400n })]);
    expect(replay(declined, held)).toEqual({ changed: [], hold: undefined, remaining: 400n });
    expect(replay(declined, booksOf(accounts)).remaining).toBe(0n);
  });

  it('of an earlier version has its end of the hold in the request, and must have one', () => {
    const requested = past({ ...manual, holdExpiresAt: AFTER_HOLD });
    expect(replay(requested, booksOf(accounts)).hold?.expiresAt).toEqual(AFTER_HOLD);
    expect(() => replay(past(manual), booksOf(accounts))).toThrow('The hold of pay_1 has no end.');
  });

  it('never makes the last decision of an account earlier', () => {
    const later = new Date(NOW.getTime() + 1);
    const changed = (decidedAt: Date | undefined) => {
      const books = booksOf([account('alice', { decidedAt }), account('bob')]);
      const paid = past(paymentRequest(), { movements: [move('TRANSFER', 100n)] });
      return replay(paid, books).changed.map((each) => each.decidedAt);
    };
    expect(changed(later)).toEqual([later, NOW]);
    expect(changed(NOW)).toEqual([NOW, NOW]);
    expect(changed(new Date(0))).toEqual([NOW, NOW]);
  });

  it.each<[string, PastDecision, Books, string]>([
    [
      'the hold is missing',
      past(cancel, { movements: [move('RELEASE', 600n)] }),
      booksOf(accounts),
      'The hold of pay_1 is missing.',
    ],
    [
      'the hold has less',
      past(cancel, { movements: [move('RELEASE', 600n)] }),
      booksOf(accounts, [openHold({ remaining: 599n })]),
      'The hold of pay_1 has 599, but 600 were taken from it.',
    ],
    [
      'more moved than left the hold',
      past(capture(0n, false), { movements: [move('RELEASE', 5n), move('TRANSFER', 6n)] }),
      booksOf(accounts, [openHold()]),
      'The hold of pay_1 has 600, but 5 were taken from it.',
    ],
    ['an account is missing', past(paymentRequest()), booksOf([]), 'The account alice is missing.'],
  ])('cannot be applied if %s', (_, decision, books, message) => {
    expect(() => replay(decision, books)).toThrow(message);
  });
});
