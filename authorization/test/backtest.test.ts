/** Backtests of rules on decided payments. */
import { status } from '@grpc/grpc-js';
import { Role } from '@payflowx/proto/auth';
import { type Check, type Rule, RuleAction } from '@payflowx/proto/authorization';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { times } from './books.ts';
import {
  captureOf,
  item,
  openAccount,
  type RunningService,
  refundOf,
  startService,
} from './running-service.ts';

let service: RunningService;
let now = new Date('2025-03-10T09:00:00Z');
let alice: string;
let bob: string;

beforeAll(async () => {
  service = await startService({ now: () => now });
  alice = await openAccount(service, { balance: 10_000n, limits: { dailyMinor: 6_000n } });
  bob = await openAccount(service, { ownerId: 'usr_bob' });
});
afterAll(() => service.stop());

/** The service's clock moves on. */
function later(ms: number): Date {
  now = new Date(now.getTime() + ms);
  return now;
}

const asOperator = (deadlineMs = 110_000) => ({ deadlineMs, accessToken: service.tokens.operator });
const rpc = () => service.rules[0] as (typeof service.rules)[number];

const backtest = (expression: string, { from, to }: { from?: Date; to?: Date } = {}) =>
  rpc().backtestRule({ expression, from, to }, asOperator());

async function create(expression: string, action: RuleAction): Promise<Rule> {
  const terms = { expression, action, message: '', enabled: true };
  const { rule } = await rpc().createRule({ requestId: '', name: expression, ...terms }, asOperator());
  return rule as Rule;
}

async function disable({ id: ruleId, version: expectedVersion }: Rule): Promise<void> {
  const as = { expression: undefined, action: RuleAction.UNSPECIFIED, message: undefined, enabled: false };
  await rpc().updateRule({ ruleId, expectedVersion, ...as }, asOperator());
}

/** Payments of all kinds and outcomes, one every minute, with different texts. */
async function payAtRandom(count: number) {
  const answers: { paymentId: string; code: string; checks: Check[] }[] = [];
  for (const index of times(count, (n) => n)) {
    later(60_000);
    const metadata: Record<string, string> = index % 3 === 0 ? {} : { risk: index % 2 === 0 ? 'high' : '7' };
    const asked = item({
      fromAccount: index % 7 === 6 ? bob : alice,
      toAccount: index % 7 === 6 ? alice : bob,
      amountMinor: BigInt((index * 37) % 400) + 1n,
      callerId: 'usr_operator',
      callerRoles: [Role.OPERATOR],
      metadata,
    });
    const [answer] = await service.authorize(asked);
    const { code, checks } = answer?.decision ?? { code: 'none', checks: [] };
    answers.push({ paymentId: asked.paymentId, code, checks });
  }
  return answers;
}

const EXPRESSIONS = [
  'payment.amount > 250',
  'has(metadata.risk) && metadata.risk == "high"',
  'metadata.risk == "high" && payment.amount > 100',
  'int(metadata.risk) > 5',
  'from.available - payment.amount < 3000 || usage.daily_count > 20',
  'has(limits.daily) && usage.daily + payment.amount > limits.daily / 2',
  'now > timestamp("2025-03-10T09:40:00Z") && from.age_days == 0',
];

describe('a backtest', () => {
  it('finds exactly the same matches as the rule found when the payments were decided', async () => {
    const start = later(1);
    const rules = [];
    for (const expression of EXPRESSIONS) rules.push(await create(expression, RuleAction.SHADOW));
    const answers = await payAtRandom(120);
    for (const rule of rules) await disable(rule);
    later(1);
    // Money has moved since, and an account has changed: the stored facts apply.
    await service.authorize(item({ fromAccount: alice, toAccount: bob, amountMinor: 1n }));

    for (const { id, expression } of rules) {
      const found = answers.flatMap((answer) => {
        const check = answer.checks.find(({ inputs }) => inputs.rule_id === id);
        return check ? [{ ...answer, inputs: check.inputs }] : [];
      });
      const matched = found.filter(({ inputs }) => inputs.matched === 'true');
      const failed = found.filter(({ inputs }) => inputs.error !== undefined);
      const result = await backtest(expression, { from: start, to: now });
      expect(result.triedCount).toBe(120n);
      // If another check declined the payment, no rule was evaluated then. The backtest evaluates the rule now.
      expect(result.newlyDeclinedCount).toBe(BigInt(matched.length));
      expect(result.matchedCount).toBeGreaterThanOrEqual(result.newlyDeclinedCount);
      expect(result.samplePaymentIds).toEqual(
        matched
          .map(({ paymentId }) => paymentId)
          .toReversed()
          .slice(0, 20),
      );
      expect(result.errorCount > 0n).toBe(failed.length > 0);
      const [newest] = failed.toReversed();
      if (newest) expect(result.firstError).toContain(newest.inputs.error);
      expect(result.truncated).toBe(false);
    }
  });

  it('does not count as newly declined a payment that was declined then or that an ALLOW rule matched', async () => {
    const from = later(1);
    const allowing = await create('payment.amount == 11', RuleAction.ALLOW);
    const declining = await create('has(metadata.bad)', RuleAction.DECLINE);
    const rich = await openAccount(service, { balance: 10_000n });
    const pay = (metadata: Record<string, string>, amountMinor = 10n) =>
      item({ fromAccount: rich, toAccount: bob, amountMinor, metadata });
    await service.authorize(pay({}), pay({}, 11n), pay({ bad: '1' }), pay({}, 20_000n));
    await disable(allowing);
    await disable(declining);
    later(100);
    // The deposit is a payment too.
    expect(await backtest('from.id.startsWith("acct_")', { from, to: now })).toMatchObject({
      triedCount: 5n,
      matchedCount: 4n,
      newlyDeclinedCount: 1n,
      errorCount: 0n,
    });
  });

  it('tries no captures, releases and refunds, and no payments with unknown accounts', async () => {
    now = new Date('2025-03-20T09:00:00Z');
    const from = now;
    const held = item({
      fromAccount: bob,
      toAccount: alice,
      callerId: 'usr_bob',
      amountMinor: 10n,
      captureMode: 2,
    });
    await service.authorize(held, item({ fromAccount: bob, toAccount: 'acct_none', callerId: 'usr_bob' }));
    await service.capture(captureOf(held.paymentId, { amountMinor: 4n }));
    await service.capture(captureOf(held.paymentId, { final: true }));
    await service.refund(
      refundOf({ paymentId: held.paymentId, fromAccount: alice, toAccount: bob, amountMinor: 3n }),
    );
    later(1);
    const result = await backtest('true', { from, to: now });
    expect(result).toMatchObject({ triedCount: 1n, samplePaymentIds: [held.paymentId] });
  });

  it('uses the last day unless the request has a period', async () => {
    now = new Date('2025-04-10T09:00:00Z');
    const times = ['2025-04-09T08:59:59.999Z', '2025-04-09T09:00:00.000Z', '2025-04-10T08:59:59.999Z'];
    for (const time of [...times, '2025-04-10T09:00:00.000Z']) {
      now = new Date(time);
      await service.authorize(item({ fromAccount: alice, toAccount: bob, amountMinor: 1n }));
    }
    now = new Date('2025-04-10T09:00:00Z');
    expect((await backtest('true')).triedCount).toBe(2n);
    const all = { from: new Date('2025-04-09T08:00:00Z'), to: new Date('2025-04-11T00:00:00Z') };
    expect((await backtest('true', all)).triedCount).toBe(4n);
    expect((await backtest('true', { to: new Date(times[1] as string) })).triedCount).toBe(1n);
  });

  it('refuses an invalid expression and an invalid period', async () => {
    await expect(backtest('payment.amount >')).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      violations: [{ field: 'expression', description: 'line 1, column 17: unexpected token: EOF' }],
    });
    await expect(backtest('true', { from: now, to: now })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      violations: [{ field: 'from', description: 'must be before to' }],
    });
  });
});

describe('a backtest of very many payments', { timeout: 120_000 }, () => {
  const period = { from: new Date('2025-05-01T00:00:00Z'), to: new Date('2025-06-01T00:00:00Z') };

  beforeAll(async () => {
    now = new Date('2025-05-10T09:00:00Z');
    const model = item({ fromAccount: alice, toAccount: bob, amountMinor: 1n });
    await service.authorize(model);
    // As many similar payments, three in each millisecond: pages end between payments of one time.
    await service.sql(
      `insert into decisions (payment_id, operation_id, fingerprint, outcome, decision, remaining, facts, decided_at)
       select 'pay_' || n, 'pay_' || n, fingerprint, outcome, decision, remaining, facts, decided_at + (n / 3) * interval '1 ms'
       from decisions, generate_series(1, 100200) as n where payment_id = $1`,
      [model.paymentId],
    );
  });

  it('tries the newest 100,000 and reports that there are more', async () => {
    const result = await backtest('payment.amount == 1', period);
    expect(result).toMatchObject({ triedCount: 100_000n, newlyDeclinedCount: 100_000n, truncated: true });
    expect(result.samplePaymentIds).toEqual(times(20, (index) => `pay_${100_200 - index}`));
  });

  it('runs one at a time: equal ones share a run, and too many different ones are refused', async () => {
    const equal = times(30, () => backtest('payment.amount == 1', period));
    const different = times(8, (index) => backtest(`payment.amount == ${index + 2}`, period));
    const outcomes = await Promise.allSettled(different);
    const results = await Promise.all(equal);
    expect(new Set(results.map(({ matchedCount }) => matchedCount))).toEqual(new Set([100_000n]));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused.length).toBeGreaterThanOrEqual(4);
    for (const { reason } of refused) {
      expect(reason).toMatchObject({
        code: status.RESOURCE_EXHAUSTED,
        reason: 'TOO_MANY_REQUESTS',
        retryAfterMs: 5_000,
      });
    }
  });

  it('ends at its deadline', async () => {
    const late = rpc().backtestRule({ expression: 'true', ...period }, asOperator(150));
    await expect(late).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  it('does not stop decisions meanwhile', async () => {
    let isOver = false;
    const running = backtest('payment.description.contains("x")', period).finally(() => {
      isOver = true;
    });
    let decided = 0;
    for (; !isOver; decided += 1) {
      await service.authorize(
        item({ fromAccount: bob, toAccount: alice, callerId: 'usr_bob', amountMinor: 1n }),
      );
    }
    await running;
    expect(decided).toBeGreaterThan(10);
  });
});
