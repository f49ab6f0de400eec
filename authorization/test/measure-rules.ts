/**
 * Measures the cost of rules. Run `node --conditions=payflowx-source test/measure-rules.ts` with the servers of the tests.
 * For each number of rules it prints the payments decided per second through BatchAuthorize (calls of 100, four at once), and the
 * CPU time of this process per payment. That is client, server and rules together, without Postgres. It takes the best of several
 * rounds, which alternate between the numbers of rules, since the machine has other work too.
 */
import { RuleAction } from '@payflowx/proto/authorization';
import { item, openAccount, startService } from './running-service.ts';

const COUNTS = [0, 1, 10, 50];
const ROUNDS = 5;
const CALLS = 40;
const CALL_SIZE = 100;
const AT_ONCE = 4;

/** Typical rules: some read metadata, some figures, some lists. None matches. */
const EXPRESSIONS = [
  'payment.amount > 100000000 && payment.kind == "payment"',
  'has(metadata.risk) && metadata.risk == "high"',
  'payment.currency in ["GBP", "CHF", "JPY"] && from.age_days < 7',
  'usage.daily_count > 1000000 || (has(limits.daily) && usage.daily * 2 > limits.daily)',
  'payment.description.lowerAscii().contains("gift card") && !("operator" in caller.roles)',
];

const service = await startService();
const asOperator = { deadlineMs: 10_000, accessToken: service.tokens.operator };
const payers = await Promise.all(
  Array.from({ length: 50 }, () => openAccount(service, { balance: 10n ** 12n })),
);
const receivers = await Promise.all(
  Array.from({ length: 50 }, () => openAccount(service, { ownerId: 'usr_bob' })),
);
const anyOf = (ids: readonly string[]) => ids[Math.floor(Math.random() * ids.length)] ?? '';

async function saveRules(count: number): Promise<() => Promise<void>> {
  const saved: { id: string; version: bigint }[] = [];
  for (let index = 0; index < count; index += 1) {
    const request = {
      requestId: '',
      name: `rule ${index} of ${count} at ${performance.now()}`,
      expression: EXPRESSIONS[index % EXPRESSIONS.length] ?? 'false',
      action: RuleAction.DECLINE,
      message: '',
      enabled: true,
    };
    const { rule } = (await service.rules[0]?.createRule(request, asOperator)) ?? {};
    if (rule) saved.push(rule);
  }
  return async () => {
    for (const { id: ruleId, version: expectedVersion } of saved) {
      const unchanged = { expression: undefined, action: RuleAction.UNSPECIFIED, message: undefined };
      await service.rules[0]?.updateRule(
        { ruleId, expectedVersion, ...unchanged, enabled: false },
        asOperator,
      );
    }
  };
}

/** Decides CALLS × CALL_SIZE payments. */
async function measure(calls = CALLS) {
  let left = calls;
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const work = async () => {
    while (left-- > 0) {
      const items = Array.from({ length: CALL_SIZE }, () =>
        item({
          fromAccount: anyOf(payers),
          toAccount: anyOf(receivers),
          amountMinor: 5n,
          description: 'Lunch for two',
          reference: 'order-4711',
          metadata: { mcc: '5812', channel: 'web' },
        }),
      );
      const answers = await service.authorize(...items);
      if (answers.some(({ decision }) => decision?.code !== ''))
        throw new Error('a payment was not approved');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  const payments = calls * CALL_SIZE;
  const { user, system } = process.cpuUsage(cpu);
  return {
    perSecond: (payments / (performance.now() - startedAt)) * 1000,
    cpuUs: (user + system) / payments,
  };
}

/** Returns the size of the newest decisions in bytes: as written, and as stored by Postgres. */
async function sizes() {
  const { rows } = await service.sql(
    `select avg(octet_length(decision))::int as decision, avg(pg_column_size(decision))::int as "decision kept",
       avg(pg_column_size(facts))::int as facts
     from (select decision, facts from decisions order by decided_at desc limit 1000) as newest`,
  );
  return rows[0];
}

await measure();
const best = new Map<number, { perSecond: number; cpuUs: number; bytes: object }>();
for (let round = 0; round < ROUNDS; round += 1) {
  for (const count of COUNTS) {
    const disable = await saveRules(count);
    await measure(4);
    const { perSecond, cpuUs } = await measure();
    const before = best.get(count) ?? { perSecond, cpuUs };
    best.set(count, {
      perSecond: Math.round(Math.max(before.perSecond, perSecond)),
      cpuUs: Math.round(Math.min(before.cpuUs, cpuUs)),
      bytes: await sizes(),
    });
    await disable();
  }
}
for (const [rules, measured] of best) console.log({ rules, ...measured });
await service.stop();
