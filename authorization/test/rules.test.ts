/** Rules and their effect on payments, through two instances on one database. */
import { status } from '@grpc/grpc-js';
import { newId } from '@payflowx/chassis';
import { eventually, PATIENCE_MS } from '@payflowx/chassis/testing';
import { Role } from '@payflowx/proto/auth';
import {
  type AuthorizeItem,
  CaptureMode,
  type Check,
  type CreateRuleRequest,
  type Decision,
  Outcome,
  type Rule,
  RuleAction,
  type UpdateRuleRequest,
} from '@payflowx/proto/authorization';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { times } from './books.ts';
import {
  captureOf,
  deposit,
  item,
  openAccount,
  type RunningService,
  refundOf,
  startService,
} from './running-service.ts';

const OTHER_OPERATOR = { id: 'usr_olga', roles: ['operator'] as const };

let service: RunningService;
let alice: string;
let bob: string;

beforeAll(async () => {
  service = await startService({ instances: 2 });
  alice = await openAccount(service, { balance: 1_000_000n });
  bob = await openAccount(service, { ownerId: 'usr_bob', balance: 1_000n });
});
afterAll(() => service.stop());
// Each test makes its own rules.
afterEach(async () => {
  const { rules } = await rpc().listRules({ pageSize: 100, pageToken: '' }, asOperator());
  for (const rule of rules.filter(({ enabled }) => enabled)) await update(rule, { enabled: false });
});

const asOperator = () => ({ deadlineMs: PATIENCE_MS, accessToken: service.tokens.operator });
const rpc = (instance = 0) => service.rules[instance] as (typeof service.rules)[number];

async function create(
  change: Partial<CreateRuleRequest>,
  instance = 0,
  accessToken = service.tokens.operator,
): Promise<Rule> {
  const request = {
    requestId: '',
    name: newId('rule'),
    expression: 'false',
    action: RuleAction.DECLINE,
    message: '',
    enabled: true,
    ...change,
  };
  const { rule } = await rpc(instance).createRule(request, { ...asOperator(), accessToken });
  return rule as Rule;
}

async function update(rule: Rule, change: Partial<UpdateRuleRequest>, instance = 0): Promise<Rule> {
  const request = {
    ruleId: rule.id,
    expectedVersion: rule.version,
    expression: undefined,
    action: RuleAction.UNSPECIFIED,
    message: undefined,
    enabled: undefined,
    ...change,
  };
  return (await rpc(instance).updateRule(request, asOperator())).rule as Rule;
}

type Change = Partial<Parameters<typeof item>[0]>;
const payment = (change: Change = {}) => item({ fromAccount: alice, toAccount: bob, ...change });

async function pay(change: Change = {}): Promise<Decision> {
  const [answer] = await service.authorize(payment(change));
  if (answer?.decision === undefined) throw new Error(answer?.error?.message);
  return answer.decision;
}

const ruleChecks = ({ checks }: Decision): Check[] => checks.filter(({ name }) => name === 'rule');

describe('a rule that declines', () => {
  it('declines what it matches, with its message and its version in the trace, and nothing else', async () => {
    const rule = await create({
      name: 'No gambling',
      expression: 'has(metadata.mcc) && metadata.mcc == "7995" && payment.amount > 50',
      message: 'Gambling is not paid for from here.',
    });
    const declined = await pay({ metadata: { mcc: '7995' } });
    expect(declined).toMatchObject({
      outcome: Outcome.DECLINED,
      code: 'RULE_DECLINED',
      message: 'Gambling is not paid for from here.',
      movements: [],
    });
    const facts = { rule_id: rule.id, rule: 'No gambling', version: '1', action: 'decline' };
    expect(declined.checks.at(-1)).toEqual({
      name: 'rule',
      passed: false,
      inputs: { ...facts, matched: 'true' },
    });
    const others: Change[] = [
      { metadata: { mcc: '5411' } },
      { metadata: {} },
      { amountMinor: 50n, metadata: { mcc: '7995' } },
    ];
    for (const change of others) {
      const approved = await pay(change);
      expect(approved.outcome).toBe(Outcome.APPROVED);
      expect(approved.checks.at(-1)).toEqual({
        name: 'rule',
        passed: true,
        inputs: { ...facts, matched: 'false' },
      });
    }
  });

  it('runs last, so its trace shows all other checks; after a failed check no rule runs', async () => {
    await create({ expression: 'true' });
    const declined = await pay();
    expect(declined.checks.map(({ name }) => name)).toEqual([
      'from_account',
      'to_account',
      'from_state',
      'to_state',
      'currency',
      'balance',
      'rule',
    ]);
    const poor = await pay({ amountMinor: 2_000_000n });
    expect(poor.code).toBe('INSUFFICIENT_BALANCE');
    expect(ruleChecks(poor)).toEqual([]);
  });

  it('does not affect a payment that was decided before it, or its later steps', async () => {
    const decided = payment();
    const first = await service.authorize(decided);
    const held = payment({ captureMode: CaptureMode.MANUAL });
    await service.authorize(held);
    await create({ expression: 'true' });
    expect(await service.authorize(decided)).toEqual(first);
    const { decision } = await service.capture(captureOf(held.paymentId, { final: true }));
    expect(decision?.outcome).toBe(Outcome.APPROVED);
    const back = await service.refund(refundOf({ fromAccount: bob, toAccount: alice }));
    expect(back.decision?.outcome).toBe(Outcome.APPROVED);
  });

  it('knows the kind of payment: it also gets deposits and withdrawals', async () => {
    await create({ expression: 'payment.kind == "deposit" && payment.amount > 500' });
    await create({ expression: 'payment.kind == "withdrawal" && caller.id == "usr_operator"' });
    const [small, large] = await service.authorize(deposit(alice, 500n), deposit(alice, 501n));
    expect([small?.decision?.code, large?.decision?.code]).toEqual(['', 'RULE_DECLINED']);
    const out = { toAccount: 'external:EUR', callerId: 'usr_operator', callerRoles: [Role.OPERATOR] };
    expect((await pay(out)).code).toBe('RULE_DECLINED');
    expect((await pay()).code).toBe('');
  });

  it('sees the earlier payments of the same batch', async () => {
    const from = await openAccount(service, { balance: 1_000n });
    await create({ expression: `from.id == "${from}" && usage.daily_count >= 3` });
    const answers = await service.authorize(...times(5, () => payment({ fromAccount: from })));
    expect(answers.map(({ decision }) => decision?.code)).toEqual([
      '',
      '',
      '',
      'RULE_DECLINED',
      'RULE_DECLINED',
    ]);
  });
});

describe('a rule that fails to evaluate', () => {
  it('declines the payment and names the error', async () => {
    await create({ name: 'Risk', expression: 'metadata.risk == "high"' });
    const declined = await pay();
    expect(declined).toMatchObject({ outcome: Outcome.DECLINED, code: 'RULE_DECLINED' });
    expect(declined.message).toMatch(/could not be evaluated/);
    const [check] = ruleChecks(declined);
    expect(check).toMatchObject({
      passed: false,
      inputs: { rule: 'Risk', error: 'line 1, column 10: risk is not there' },
    });
    expect((await pay({ metadata: { risk: 'low' } })).code).toBe('');
  });

  it('shows no figures of any account', async () => {
    await create({ expression: 'to.posted * 9223372036854775807 > 0' });
    const [check] = ruleChecks(await pay());
    expect(check?.inputs.error).toBe(
      'line 1, column 1: to.posted * 9223372036854775807 does not fit into 64 bits',
    );
  });

  it('allows nothing as an ALLOW rule, and is only recorded as a SHADOW rule', async () => {
    await create({ expression: 'limits.monthly > 5', action: RuleAction.ALLOW });
    await create({ expression: 'metadata.vip == "no"', action: RuleAction.SHADOW });
    expect((await pay()).code).toBe('');
    await create({ expression: 'payment.amount > 10' });
    const declined = await pay();
    expect(declined.code).toBe('RULE_DECLINED');
    expect(ruleChecks(declined).map(({ passed, inputs }) => [passed, 'error' in inputs])).toEqual([
      [true, true],
      [true, true],
      [false, false],
    ]);
  });

  it('declines every payment if it was valid once and no longer is', async () => {
    const { id } = await create({ expression: 'false' });
    await service.sql(
      `insert into rule_versions (id, version, name, expression, action, message, enabled, created_by, trace_id, created_at)
       select id, 2, name, 'gone.with == 1', action, message, true, created_by, trace_id, now() from rule_versions where id = $1`,
      [id],
    );
    await service.sql('update ruleset set version = version + 1');
    expect((await pay()).checks.at(-1)).toMatchObject({ passed: false, inputs: { version: '2' } });
    const [newest] = (await rpc().listRuleVersions({ ruleId: id, pageSize: 1, pageToken: '' }, asOperator()))
      .versions;
    await update(newest as Rule, { enabled: false });
    expect((await pay()).code).toBe('');
  });
});

describe('a rule that allows', () => {
  it('does not help accounts of the operator who saved it, until another operator saves it', async () => {
    const own = await openAccount(service, { ownerId: OTHER_OPERATOR.id, balance: 1_000n });
    await create({ expression: 'true' });
    const token = await service.tokenFor(OTHER_OPERATOR);
    const allowing = await create({ expression: 'true', action: RuleAction.ALLOW }, 0, token);
    const payOwn = () => pay({ fromAccount: own, callerId: OTHER_OPERATOR.id, callerRoles: [Role.OPERATOR] });
    expect((await pay()).outcome).toBe(Outcome.APPROVED);
    const declined = await payOwn();
    expect(declined.code).toBe('RULE_DECLINED');
    expect(ruleChecks(declined).at(-1)?.inputs).toMatchObject({
      rule_id: allowing.id,
      error: 'it allows nothing for accounts of the operator who saved it',
    });
    expect((await pay({ toAccount: own })).code).toBe('RULE_DECLINED');
    await update(allowing, { expression: 'payment.amount > 0' });
    expect((await payOwn()).outcome).toBe(Outcome.APPROVED);
  });

  it('allows nothing if it reads a text of the payer, as stored by an earlier version', async () => {
    const { id } = await create({ expression: 'metadata.vip == "yes"', action: RuleAction.SHADOW });
    await create({ expression: 'true' });
    await service.sql(
      `insert into rule_versions (id, version, name, expression, action, message, enabled, created_by, trace_id, created_at)
       select id, 2, name, expression, 'ALLOW', message, true, created_by, trace_id, now() from rule_versions where id = $1`,
      [id],
    );
    await service.sql('update ruleset set version = version + 1');
    const declined = await pay({ metadata: { vip: 'yes' } });
    expect(declined.code).toBe('RULE_DECLINED');
    expect(ruleChecks(declined)[0]?.inputs.error).toBe(
      'line 1, column 1: an ALLOW rule cannot read metadata: the payer writes it',
    );
  });

  it('overrides all DECLINE rules, also one that fails to evaluate, and the trace names it', async () => {
    await create({ expression: 'true' });
    await create({ expression: 'metadata.risk == "high"' });
    const allowing = await create({ expression: 'payment.amount == 77', action: RuleAction.ALLOW });
    expect((await pay()).code).toBe('RULE_DECLINED');
    const passed = await pay({ amountMinor: 77n });
    expect(passed.outcome).toBe(Outcome.APPROVED);
    expect(ruleChecks(passed).map((check) => [check.passed, check.inputs.allowed_by])).toEqual([
      [true, allowing.id],
      [true, allowing.id],
      [true, undefined],
    ]);
  });

  it('never overrides balance, limits, states or owners', async () => {
    await create({ expression: 'true', action: RuleAction.ALLOW });
    const limited = await openAccount(service, { balance: 1_000n, limits: { dailyMinor: 50n } });
    expect((await pay({ amountMinor: 2_000_000n })).code).toBe('INSUFFICIENT_BALANCE');
    expect((await pay({ fromAccount: limited })).code).toBe('DAILY_LIMIT_EXCEEDED');
    expect((await pay({ callerId: 'usr_mallory' })).code).toBe('FROM_ACCOUNT_NOT_FOUND');
    expect((await pay({ currency: 'USD' })).code).toBe('CURRENCY_MISMATCH');
  });
});

describe('a SHADOW rule', () => {
  it('is recorded, and changes nothing', async () => {
    await create({ expression: 'payment.amount > 10', action: RuleAction.SHADOW });
    const approved = await pay();
    expect(approved.outcome).toBe(Outcome.APPROVED);
    expect(ruleChecks(approved)).toMatchObject([
      { passed: true, inputs: { action: 'shadow', matched: 'true' } },
    ]);
  });
});

describe('a simulation', () => {
  it('has the trace of the real decision, including rules', async () => {
    await create({ expression: 'metadata.risk == "high"' });
    await create({ expression: 'payment.description.contains("bet")', action: RuleAction.SHADOW });
    await create({ expression: 'payment.amount == 77', action: RuleAction.ALLOW });
    const asService = { deadlineMs: PATIENCE_MS };
    for (const change of [
      {},
      { metadata: { risk: 'high' }, description: 'a bet' },
      { metadata: { risk: 'low' } },
      { amountMinor: 77n },
    ]) {
      const asked = payment(change);
      const { decision: simulated } = await service.authorizationRpc.simulateAuthorization(
        { item: asked },
        asService,
      );
      const [real] = await service.authorize(asked);
      expect(ruleChecks(real?.decision as Decision)).toHaveLength(3);
      const isStored = { decidedAt: expect.any(Date), id: expect.stringMatching(/^dec_/) };
      expect(real?.decision).toEqual({ ...simulated, ...isStored });
    }
  });
});

describe('simulations', () => {
  it('see an id of a payment, as rules of real payments do', async () => {
    await create({ expression: 'payment.id == ""' });
    const asked = { ...payment(), paymentId: '', operationId: '' };
    const asService = { deadlineMs: PATIENCE_MS };
    const { decision } = await service.authorizationRpc.simulateAuthorization({ item: asked }, asService);
    expect(decision?.code).toBe('');
  });

  it('are limited for each caller, which slows down a search for facts', async () => {
    const limited = await startService({ simulationsPerMinute: 3, now: () => new Date('2026-01-01') });
    const asService = { deadlineMs: PATIENCE_MS };
    const simulate = (callerId: string) =>
      limited.authorizationRpc.simulateAuthorization({ item: payment({ callerId }) }, asService);
    for (let count = 0; count < 3; count += 1) await simulate('usr_alice');
    await expect(simulate('usr_alice')).rejects.toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: 'TOO_MANY_REQUESTS',
      retryAfterMs: 60_000,
    });
    await simulate('usr_bob');
    await limited.stop();
  });
});

describe('two instances', () => {
  /** The code of the decision. An account that the other instance is working on may be busy: then nothing was decided. */
  const codeAt = (instance: number, item: AuthorizeItem) =>
    eventually(async () => {
      const [answer] = await service.authorizeAt(instance, item);
      if (!answer?.decision) throw new Error(answer?.error?.message);
      return answer.decision.code;
    });

  it('never decide by an outdated rule, on whichever instance it was changed', async () => {
    let rule = await create({ expression: 'true' });
    for (const round of times(60, (index) => index)) {
      const isOn = round % 2 === 1;
      rule = await update(rule, { enabled: isOn }, round % 2);
      const other = 1 - (round % 2);
      const codes = await Promise.all([
        codeAt(other, payment({ amountMinor: 1n })),
        codeAt(round % 2, payment({ amountMinor: 1n })),
      ]);
      for (const code of codes) expect(code).toBe(isOn ? 'RULE_DECLINED' : '');
    }
  });

  it('decide by the newest rule even under continuous load', async () => {
    let isOver = false;
    const traffic = times(2, async (instance) => {
      while (!isOver) await service.authorizeAt(instance, ...times(20, () => payment({ amountMinor: 1n })));
    });
    try {
      let rule = await create({ expression: 'metadata.probe == "1"', enabled: false });
      rule = await update(rule, {
        expression: 'has(metadata.probe) && metadata.probe == "1"',
        enabled: true,
      });
      for (const probe of times(30, (index) => `${index}`)) {
        rule = await update(rule, { expression: `has(metadata.probe) && metadata.probe == "${probe}"` });
        expect(await codeAt(1, payment({ amountMinor: 1n, metadata: { probe } }))).toBe('RULE_DECLINED');
      }
    } finally {
      isOver = true;
      await Promise.all(traffic);
    }
  });
});
