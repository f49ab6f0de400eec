import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AccountFacts, Facts } from '../domain/facts.ts';
import { MAX_MINOR } from '../domain/money.ts';
import { decodeFacts, encodeFacts } from './facts-record.ts';

/** Any character, most of them strange. `unit: 'binary'` draws the same, but takes two seconds to begin. */
const character = fc
  .oneof(
    fc.integer({ min: 0, max: 0xff }),
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
  )
  .map((code) => String.fromCodePoint(code));

const word = fc.string({ unit: character, maxLength: 20 });
const figure = fc.bigInt({ min: -MAX_MINOR, max: MAX_MINOR });
const maybe = fc.option(figure, { nil: undefined });
const account: fc.Arbitrary<AccountFacts> = fc
  .record({
    id: word,
    owner: word,
    currency: word,
    state: word,
    posted: figure,
    held: figure,
    age_days: figure,
  })
  .map((facts) => ({ ...facts, available: facts.posted - facts.held }));
const anyFacts: fc.Arbitrary<Facts> = fc.record({
  payment: fc.record({
    id: word,
    kind: fc.constantFrom('payment', 'deposit', 'withdrawal'),
    amount: figure,
    currency: word,
    capture: fc.constantFrom('automatic', 'manual'),
    description: word,
    reference: word,
  }),
  metadata: fc.dictionary(word, word),
  from: account,
  to: account,
  usage: fc.record({ daily: figure, monthly: figure, daily_count: figure }),
  limits: fc.record({ per_payment: maybe, daily: maybe, monthly: maybe, daily_count: maybe }),
  caller: fc.record({ id: word, roles: fc.array(word) }),
  now: fc.date({ noInvalidDate: true }),
});

it('returns exactly the facts that were stored', () => {
  fc.assert(
    fc.property(anyFacts, fc.boolean(), (facts, allowed) => {
      const kept = JSON.parse(encodeFacts({ facts, allowed }));
      const row = { id: facts.payment.id, now: facts.now };
      expect(decodeFacts(kept, row)).toEqual({ facts, allowed });
    }),
  );
});

it('reads available as posted minus held, also if an earlier version stored another amount', () => {
  const [facts] = fc.sample(anyFacts, { numRuns: 1, seed: 1 });
  if (!facts) throw new Error('there is one sample');
  const kept = JSON.parse(encodeFacts({ facts, allowed: false }));
  kept[3][6] += 9_007_199_254_740_991;
  expect(decodeFacts(kept, { id: facts.payment.id, now: facts.now }).facts).toEqual(facts);
});
