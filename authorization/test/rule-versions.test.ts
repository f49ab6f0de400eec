/** RuleService: saving and reading rules, and access to it. */

import { status } from '@grpc/grpc-js';
import { PATIENCE_MS } from '@payflowx/chassis/testing';
import {
  type CreateRuleRequest,
  type Rule,
  RuleAction,
  type UpdateRuleRequest,
} from '@payflowx/proto/authorization';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { times } from './books.ts';
import { type RunningService, startService } from './running-service.ts';

let service: RunningService;
let now = new Date('2025-03-10T09:00:00Z');
beforeAll(async () => {
  service = await startService({ instances: 2, now: () => now });
});
afterAll(() => service.stop());

const asOperator = () => ({ deadlineMs: PATIENCE_MS, accessToken: service.tokens.operator });
const rpc = (instance = 0) => service.rules[instance % 2] as (typeof service.rules)[number];

let counter = 0;
const ruleRequest = (change: Partial<CreateRuleRequest> = {}): CreateRuleRequest => ({
  requestId: '',
  name: `rule ${counter++}`,
  expression: 'payment.amount > 100000',
  action: RuleAction.SHADOW,
  message: '',
  enabled: false,
  ...change,
});
async function create(change: Partial<CreateRuleRequest> = {}): Promise<Rule> {
  return (await rpc().createRule(ruleRequest(change), asOperator())).rule as Rule;
}
const change = (
  rule: Pick<Rule, 'id' | 'version'>,
  given: Partial<UpdateRuleRequest>,
): UpdateRuleRequest => ({
  ruleId: rule.id,
  expectedVersion: rule.version,
  expression: undefined,
  action: RuleAction.UNSPECIFIED,
  message: undefined,
  enabled: undefined,
  ...given,
});
const update = async (rule: Rule, given: Partial<UpdateRuleRequest>) =>
  (await rpc().updateRule(change(rule, given), asOperator())).rule as Rule;
const errorOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => undefined,
    (error) => error,
  );

describe('creating a rule', () => {
  it('saves the request as version 1', async () => {
    const request = ruleRequest({ message: 'No.', action: RuleAction.DECLINE });
    const { rule } = await rpc().createRule(request, asOperator());
    const { requestId: _, ...terms } = request;
    expect(rule).toMatchObject({ ...terms, version: 1n, createdBy: 'usr_operator', createdAt: now });
    expect(rule?.id).toMatch(/^rule_/);
    expect((await rpc(1).getRule({ ruleId: rule?.id ?? '' }, asOperator())).rule).toEqual(rule);
  });

  it('returns the same rule to a retry, at once and later, and refuses a different request', async () => {
    const request = ruleRequest({ requestId: 'req-1' });
    const answers = await Promise.all(times(10, (index) => rpc(index).createRule(request, asOperator())));
    expect(new Set(answers.map(({ rule }) => rule?.id)).size).toBe(1);
    const [first] = answers;
    await update(first?.rule as Rule, { message: 'changed since' });
    expect(await rpc().createRule(request, asOperator())).toEqual(first);
    const other = await errorOf(rpc().createRule({ ...request, message: 'x' }, asOperator()));
    expect(other).toMatchObject({ code: status.ALREADY_EXISTS, reason: 'REQUEST_ID_REUSED' });
  });

  it('refuses a name that is taken, also in a race', async () => {
    const name = 'the one';
    const attempts = await Promise.all(
      times(8, (index) => errorOf(rpc(index).createRule(ruleRequest({ name }), asOperator()))),
    );
    const refused = attempts.filter((error) => error !== undefined);
    expect(refused).toHaveLength(7);
    for (const error of refused)
      expect(error).toMatchObject({ code: status.ALREADY_EXISTS, reason: 'RULE_NAME_TAKEN' });
  });

  it('reports the place of an error in an expression', async () => {
    const error = await errorOf(
      create({ expression: 'payment.amount > 100 &&\n  payment.curency == "EUR"' }),
    );
    expect(error).toMatchObject({
      code: status.INVALID_ARGUMENT,
      reason: 'INVALID_ARGUMENT',
      violations: [{ field: 'expression', description: 'line 2, column 11: there is no field curency' }],
    });
  });

  it.each([
    ['metadata', 'has(metadata.vip) && metadata.vip == "yes"', 5],
    ['payment.reference', 'payment.amount < 5 || payment.reference.startsWith("vip")', 23],
    ['payment.description', '"a" in [payment.description, payment.id]', 9],
    ['payment', '[payment][0].description == "vip"', 2],
    ['payment', '(payment.amount > 0 ? payment : payment).reference == ""', 23],
  ])('refuses an ALLOW rule that reads %s, which the payer writes', async (fact, expression, column) => {
    const refused = {
      code: status.INVALID_ARGUMENT,
      reason: 'PAYER_WRITTEN_FACT',
      violations: [
        {
          field: 'expression',
          description: `line 1, column ${column}: an ALLOW rule cannot read ${fact}: the payer writes it`,
        },
      ],
    };
    expect(await errorOf(create({ expression, action: RuleAction.ALLOW }))).toMatchObject(refused);
    const shadow = await create({ expression });
    expect(await errorOf(update(shadow, { action: RuleAction.ALLOW }))).toMatchObject(refused);
    const allowing = await create({ expression: 'payment.amount < 5', action: RuleAction.ALLOW });
    expect(await errorOf(update(allowing, { expression }))).toMatchObject(refused);
  });

  it('reports all other violations', async () => {
    const bad = {
      requestId: 'ä',
      name: ' ',
      expression: '',
      action: 9 as RuleAction,
      message: '',
    };
    const error = await errorOf(create(bad));
    expect(error.violations.map(({ field }: { field: string }) => field)).toEqual([
      'request_id',
      'name',
      'expression',
      'action',
    ]);
    const overlong = await errorOf(create({ ...bad, message: 'x'.repeat(201) }));
    expect(overlong.violations).toMatchObject([{ field: 'message' }]);
    const long = await errorOf(create({ name: 'é'.repeat(101) }));
    expect(long.violations).toMatchObject([{ field: 'name' }]);
  });
});

describe('updating a rule', () => {
  it('adds a version: absent fields keep their value, author and time are those of this version', async () => {
    const rule = await create({ message: 'before' });
    now = new Date('2025-03-11T09:00:00Z');
    const other = { id: 'usr_other', roles: ['operator'] as const };
    const asOther = { deadlineMs: PATIENCE_MS, accessToken: await service.tokenFor(other) };
    const request = change(rule, { action: RuleAction.DECLINE, expression: 'payment.amount > 5' });
    const { rule: next } = await rpc(1).updateRule(request, asOther);
    expect(next).toEqual({
      ...rule,
      version: 2n,
      action: RuleAction.DECLINE,
      expression: 'payment.amount > 5',
      createdBy: 'usr_other',
      createdAt: now,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      callId: expect.stringMatching(/^call_/),
    });
    const { versions } = await rpc().listRuleVersions(
      { ruleId: rule.id, pageSize: 0, pageToken: '' },
      asOperator(),
    );
    expect(next?.callId).not.toBe(rule.callId);
    expect(versions).toEqual([next, rule]);
  });

  it('succeeds for exactly one of many with the same version', async () => {
    const rule = await create();
    const attempts = await Promise.all(
      times(20, (index) =>
        errorOf(rpc(index).updateRule(change(rule, { message: `${index}` }), asOperator())),
      ),
    );
    const refused = attempts.filter((error) => error !== undefined);
    expect(refused).toHaveLength(19);
    for (const error of refused) {
      expect(error).toMatchObject({
        code: status.ABORTED,
        reason: 'VERSION_MISMATCH',
        metadata: { version: '2' },
      });
    }
  });

  it('changes nothing if nothing is different', async () => {
    const rule = await create({ message: 'same' });
    expect(await update(rule, { message: 'same', enabled: false })).toEqual(rule);
  });

  it('refuses an invalid expression, an unknown rule and an invalid version', async () => {
    const rule = await create();
    const bad = await errorOf(update(rule, { expression: 'payment.amount' }));
    expect(bad.violations).toEqual([
      { field: 'expression', description: 'line 1, column 1: must be true or false, not of type int' },
    ]);
    for (const id of ['rule_none', '', 'a b']) {
      const none = await errorOf(update({ ...rule, id }, { message: 'x' }));
      expect(none).toMatchObject({ code: status.NOT_FOUND, reason: 'RULE_NOT_FOUND' });
    }
    const zero = await errorOf(update({ ...rule, version: 0n }, { message: 'x' }));
    expect(zero.violations).toMatchObject([{ field: 'expected_version' }]);
  });
});

describe('rules in force', () => {
  it('have a common limit, so that the cost of a payment stays small', async () => {
    const list = Array.from({ length: 199 }, (_, index) => index).join(', ');
    const large = `payment.amount in [${list}] || payment.amount + 1 in [${list}]`;
    const made: Rule[] = [];
    for (const _ of times(12, String)) made.push(await create({ expression: large, enabled: true }));
    const last = await create({ expression: large });
    const error = await errorOf(update(last, { enabled: true }));
    expect(error).toMatchObject({ reason: 'INVALID_ARGUMENT', violations: [{ field: 'enabled' }] });
    for (const rule of made) await update(rule, { enabled: false });
    expect((await update(last, { enabled: true })).enabled).toBe(true);
    await update({ ...last, version: 2n }, { enabled: false });
  });

  it('are at most a hundred', async () => {
    const made: Rule[] = [];
    for (const _ of times(100, String)) made.push(await create({ enabled: true }));
    const error = await errorOf(create({ enabled: true }));
    expect(error.violations).toEqual([{ field: 'enabled', description: 'at most 100 rules can be enabled' }]);
    for (const rule of made) await update(rule, { enabled: false });
  });
});

describe('reading rules', () => {
  it('pages through the newest version of each, newest rule first', async () => {
    const rule = await create();
    const newest = await update(rule, { message: 'newest' });
    const seen: Rule[] = [];
    let pageToken = '';
    do {
      const page = await rpc().listRules({ pageSize: 7, pageToken }, asOperator());
      seen.push(...page.rules);
      pageToken = page.nextPageToken;
      // Rules added meanwhile are newer than all of these.
      await create();
    } while (pageToken !== '');
    expect(seen[0]).toEqual(newest);
    const { rows } = await service.sql(
      'select count(distinct id)::int as n from rule_versions where id <= $1',
      [rule.id],
    );
    expect(new Set(seen.map(({ id }) => id)).size).toBe(rows[0].n);
    expect(seen).toHaveLength(rows[0].n);
    expect(seen.map(({ id }) => id)).toEqual(
      seen
        .map(({ id }) => id)
        .toSorted()
        .toReversed(),
    );
  });

  it('pages through the versions of one rule', async () => {
    let rule = await create();
    for (const round of times(6, String)) rule = await update(rule, { message: round });
    const first = await rpc().listRuleVersions({ ruleId: rule.id, pageSize: 4, pageToken: '' }, asOperator());
    const rest = { ruleId: rule.id, pageSize: 4, pageToken: first.nextPageToken };
    const second = await rpc().listRuleVersions(rest, asOperator());
    const versions = [...first.versions, ...second.versions].map(({ version }) => version);
    expect(versions).toEqual([7n, 6n, 5n, 4n, 3n, 2n, 1n]);
    expect(second.nextPageToken).toBe('');
    const none = await errorOf(
      rpc().listRuleVersions({ ...rest, ruleId: 'rule_none', pageToken: '' }, asOperator()),
    );
    expect(none).toMatchObject({ reason: 'RULE_NOT_FOUND' });
  });

  it('is for operators and auditors, saving is for operators, and other roles have no access', async () => {
    const rule = await create();
    const calls = async (role: 'customer' | 'auditor') => {
      const accessToken = await service.tokenFor({ id: `usr_${role}`, roles: [role] });
      const as = { deadlineMs: PATIENCE_MS, accessToken };
      const attempts = await Promise.all([
        errorOf(rpc().createRule(ruleRequest(), as)),
        errorOf(rpc().updateRule(change(rule, { message: 'x' }), as)),
        errorOf(rpc().getRule({ ruleId: rule.id }, as)),
        errorOf(rpc().listRules({ pageSize: 0, pageToken: '' }, as)),
        errorOf(rpc().listRuleVersions({ ruleId: rule.id, pageSize: 0, pageToken: '' }, as)),
        errorOf(rpc().backtestRule({ expression: 'true', from: undefined, to: undefined }, as)),
      ]);
      return attempts.map((error) => error?.code);
    };
    const refused = status.PERMISSION_DENIED;
    expect(await calls('auditor')).toEqual([refused, refused, undefined, undefined, undefined, undefined]);
    expect(await calls('customer')).toEqual(Array(6).fill(refused));
  });
});
