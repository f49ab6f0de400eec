/**
 * Figures that must agree, compared by random programs. `SEED=… npx vitest run test/agreement.test.ts` repeats the same programs.
 * `SECONDS=…` makes each run that long.
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Account, balanceOf, openAccount, people, provenLedger } from '../src/platform.ts';
import type { Answer } from '../src/rest.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const seconds = Number(process.env.SECONDS ?? 5);
const who = people();

async function check<T>(programs: fc.Arbitrary<T>, property: (program: T) => Promise<void>): Promise<void> {
  console.log(`SEED=${seed}`);
  await fc.assert(fc.asyncProperty(programs, property), {
    ...{ seed, numRuns: 1_000_000, unbiased: true, endOnFailure: true },
    ...{ interruptAfterTimeLimit: seconds * 1_000, markInterruptAsFailure: false },
  });
}

const timeout = 240_000 + 4 * seconds * 1_000;

const attempt = fc.record({
  amount: fc.oneof(fc.integer({ min: 1, max: 900 }), fc.constantFrom(500, 501, 1_000, 1_001)),
  capture: fc.constantFrom('automatic', 'manual'),
  payer: fc.constantFrom('own', 'own', 'own', 'own', 'foreign', 'unknown'),
  receiver: fc.constantFrom('own', 'own', 'own', 'unknown', 'dollars'),
  metadata: fc.dictionary(fc.constantFrom('order', 'ünïcode', 'a.b'), fc.string({ maxLength: 20 })),
  description: fc.string({ maxLength: 30, unit: 'grapheme' }),
});

describe('a simulation', () => {
  it('returns the decision that the payment gets', { timeout }, async () => {
    await check(fc.array(attempt, { minLength: 1, maxLength: 25 }), async (attempts) => {
      const limits = { per_payment: 500, daily: 1_500, daily_count: 12 };
      const from = await openAccount(who.operator, who.alice.user, 2_000, { limits });
      const foreign = await openAccount(who.operator, who.bob.user, 2_000);
      const to = await openAccount(who.operator, who.bob.user, 0);
      const dollars = await openAccount(who.operator, who.bob.user, 0, { currency: 'USD' });
      const unknown = from.id.replace(/.{12}$/, '000000000000');
      for (const { payer, receiver, ...terms } of attempts) {
        const body = {
          from_account: { own: from.id, foreign: foreign.id, unknown }[payer],
          to_account: { own: to.id, unknown, dollars: dollars.id }[receiver],
          currency: 'EUR',
          ...terms,
        };
        if (body.from_account === body.to_account) continue;
        const simulated = await simulate(body);
        expect(await decisionOf(await who.alice.post('/v1/payments', body))).toEqual(simulated);
      }
    });
  });
});

/** Simulations have a quota of their own, so wait as long as the platform says. */
async function simulate(body: object): Promise<unknown> {
  for (;;) {
    const answer = await who.alice.post('/v1/payments/simulate', body);
    if (answer.status !== 429) return decisionOf(answer);
    const waitS = Number(answer.headers.get('retry-after') ?? 1);
    await new Promise((resolve) => setTimeout(resolve, waitS * 1_000));
  }
}

/** The decision without its time, or the problem of a refused request without the ids of that request. */
async function decisionOf({ status, body }: Answer): Promise<unknown> {
  const decision = status === 402 ? body.payment.decision : (body.decision ?? body);
  if (decision.outcome) return { ...decision, decided_at: undefined };
  expect(status).toBeGreaterThanOrEqual(400);
  return { status, code: body.code, errors: body.errors };
}

const movement = fc.record({
  kind: fc.constantFrom('deposit', 'pay', 'pay', 'hold', 'withdraw'),
  amount: fc.integer({ min: 1, max: 300 }),
});

describe('the past of an account', () => {
  it('is the same in statements, balances and entries, at every moment of its entries and a millisecond around them', {
    timeout,
  }, async () => {
    await check(fc.array(movement, { minLength: 3, maxLength: 12 }), async (movements) => {
      const from = await openAccount(who.operator, who.alice.user, 500);
      const to = await openAccount(who.operator, who.bob.user, 0);
      await Promise.all(movements.map((each) => move(each, from, to)));
      await provenLedger(who.auditor);
      for (const account of [from, to]) await expectOnePast(account);
    });
  });
});

async function move({ kind, amount }: { kind: string; amount: number }, from: Account, to: Account) {
  const money = { amount, currency: 'EUR' };
  if (kind === 'deposit') return who.operator.post('/v1/deposits', { account_id: from.id, ...money });
  if (kind === 'withdraw') return who.operator.post('/v1/withdrawals', { account_id: from.id, ...money });
  const payment = { from_account: from.id, to_account: to.id, ...money };
  if (kind === 'pay') return who.alice.post('/v1/payments', payment);
  const held = await who.alice.post('/v1/payments', { ...payment, capture: 'manual' });
  if (held.status !== 201) return held;
  return who.alice.post(`/v1/payments/${held.body.id}/capture`, {
    amount: Math.ceil(amount / 2),
    final: true,
  });
}

interface Line {
  entry: { amount: number; direction: 'debit' | 'credit'; created_at: string };
  balance: number;
}

async function expectOnePast({ id }: Account): Promise<void> {
  const base = `/v1/ledger/accounts/${id}`;
  const read = async (path: string) => {
    const { status, body } = await who.auditor.get(`${base}/${path}`);
    expect(status, path).toBe(200);
    return body;
  };
  const lines: Line[] = (await read('statement?limit=100')).data;
  const postedAt = (ms: number) =>
    lines
      .filter(({ entry }) => Date.parse(entry.created_at) <= ms)
      .reduce((sum, { entry }) => sum + (entry.direction === 'credit' ? entry.amount : -entry.amount), 0);
  expect(lines.map(({ balance }) => balance).filter((balance) => balance < 0)).toEqual([]);
  expect(lines.at(-1)?.balance ?? 0).toBe(postedAt(Number.POSITIVE_INFINITY));
  for (const at of new Set(lines.map(({ entry }) => Date.parse(entry.created_at)))) {
    for (const ms of [at - 1, at, at + 1]) {
      const time = new Date(ms).toISOString();
      const next = new Date(ms + 1).toISOString();
      const [balance, until, from] = await Promise.all([
        read(`balance?at=${time}`),
        read(`statement?to=${next}&limit=100`),
        read(`statement?from=${next}&limit=100`),
      ]);
      const posted = postedAt(ms);
      expect([balance.posted, until.closing_balance, from.opening_balance], time).toEqual([
        posted,
        posted,
        posted,
      ]);
      expect([...until.data, ...from.data]).toEqual(lines);
    }
  }
}

/** Other texts of the same JSON value. */
const SPELLINGS: ((text: string, value: Record<string, unknown>) => string)[] = [
  (_, value) => JSON.stringify(value, null, 2),
  (_, value) => JSON.stringify(Object.fromEntries(Object.entries(value).reverse())),
  (text) => text.replaceAll(/[a-z](?=[a-z_]*")/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`),
  (text) => text.replace(/"amount":(\d+)/, '"amount":$1.0'),
  (text) => text.replace(/"amount":(\d+)/, '"amount":$1e0'),
  (text) => ` \r\n\t${text} `,
];

describe('a key', () => {
  it('means the same payment, however the JSON of its body is spelled', { timeout }, async () => {
    const from = await openAccount(who.operator, who.alice.user, 100_000_000);
    const to = await openAccount(who.operator, who.bob.user, 0);
    let paid = 0;
    const program = fc.record({
      amount: fc.integer({ min: 1, max: 1_000 }),
      reference: fc.string({ maxLength: 20 }),
      metadata: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.string({ maxLength: 10 })),
      order: fc.shuffledSubarray(SPELLINGS, { minLength: 2 }),
    });
    await check(program, async ({ order, ...terms }) => {
      const value = { from_account: from.id, to_account: to.id, currency: 'EUR', ...terms };
      const text = JSON.stringify(value);
      const key = randomUUID();
      const { status, body } = await who.alice.post('/v1/payments', text, { key });
      if (status === 400) return;
      expect(status).toBe(201);
      paid += terms.amount;
      for (const spell of order) {
        const again = await who.alice.post('/v1/payments', spell(text, value), { key });
        expect(again.headers.get('idempotent-replayed')).toBe('true');
        expect([again.status, again.body]).toEqual([status, body]);
      }
      const other = await who.alice.post('/v1/payments', { ...value, amount: terms.amount + 1 }, { key });
      expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    });
    expect((await balanceOf(who.bob, to.id)).posted).toBe(paid);
  });
});
