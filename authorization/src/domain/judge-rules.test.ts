import { describe, expect, it } from 'vitest';
import { judgeByRules, NO_RULES, type RuleFinding, type Tried } from './judge-rules.ts';
import type { Rule, RuleAction } from './rule.ts';

const YES: Tried = { matched: true };
const NO: Tried = { matched: false };
const BROKEN: Tried = { error: 'line 1, column 1: divides by zero' };
const OWNERS = ['usr_alice', 'usr_bob'];

/** A rule with its result. The id is the action in lower case. */
function found(action: RuleAction, tried: Tried, change: Partial<Rule> = {}): RuleFinding {
  const origin = { callerId: 'usr_op' } as Rule['origin'];
  const id = action.toLowerCase();
  return { rule: { id, version: 7n, name: `the ${id} rule`, action, message: '', origin, ...change }, tried };
}

const outcome = (...findings: RuleFinding[]) => {
  const { refusal, allowed, checks } = judgeByRules(findings, OWNERS);
  return [refusal?.decline ?? 'approved', allowed, checks.map(({ passed }) => passed)];
};

describe('the verdict of the rules', () => {
  it.each<[string, RuleFinding[], unknown[]]>([
    ['no rules', [...NO_RULES({} as never)], ['approved', false, []]],
    ['a DECLINE rule that matches', [found('DECLINE', YES)], ['RULE_DECLINED', false, [false]]],
    ['a DECLINE rule that does not match', [found('DECLINE', NO)], ['approved', false, [true]]],
    ['a DECLINE rule that fails', [found('DECLINE', BROKEN)], ['RULE_DECLINED', false, [false]]],
    ['a SHADOW rule that matches', [found('SHADOW', YES)], ['approved', false, [true]]],
    ['a SHADOW rule that fails', [found('SHADOW', BROKEN)], ['approved', false, [true]]],
    ['an ALLOW rule that matches', [found('ALLOW', YES)], ['approved', true, [true]]],
    ['an ALLOW rule that does not match', [found('ALLOW', NO)], ['approved', false, [true]]],
    ['an ALLOW rule that fails', [found('ALLOW', BROKEN)], ['approved', false, [true]]],
    [
      'a later ALLOW rule overrides every DECLINE rule',
      [found('DECLINE', YES), found('DECLINE', BROKEN), found('ALLOW', YES)],
      ['approved', true, [true, true, true]],
    ],
    [
      'an ALLOW rule that fails overrides nothing',
      [found('ALLOW', BROKEN), found('DECLINE', YES)],
      ['RULE_DECLINED', false, [true, false]],
    ],
    [
      'an ALLOW rule that does not match overrides nothing',
      [found('ALLOW', NO), found('DECLINE', YES)],
      ['RULE_DECLINED', false, [true, false]],
    ],
  ])('%s', (_, findings, expected) => expect(outcome(...findings)).toEqual(expected));

  it.each(OWNERS)('an ALLOW rule allows nothing for the account of its author, %s', (callerId) => {
    const own = { origin: { callerId } as Rule['origin'] };
    const verdict = judgeByRules([found('ALLOW', YES, own), found('DECLINE', YES)], OWNERS);
    expect(verdict).toMatchObject({ refusal: { decline: 'RULE_DECLINED' }, allowed: false });
    expect(verdict.checks[0]?.inputs).toEqual({
      rule_id: 'allow',
      rule: 'the allow rule',
      version: '7',
      action: 'allow',
      error: 'it allows nothing for accounts of the operator who saved it',
    });
    // It is a result like any other if it did not match, and an author may decline payments of its own.
    const others = judgeByRules([found('ALLOW', NO, own), found('DECLINE', YES, own)], OWNERS);
    expect(others.checks.map(({ inputs }) => inputs.matched)).toEqual(['false', 'true']);
    expect(others.refusal?.decline).toBe('RULE_DECLINED');
  });
});

describe('the text for the payer', () => {
  const message = (...findings: RuleFinding[]) => judgeByRules(findings, OWNERS).refusal?.message;

  it('is that of the first rule that declines; without one it is the default', () => {
    const [first, second] = [{ message: 'First.' }, { message: 'Second.' }];
    expect(message(found('SHADOW', YES, first), found('DECLINE', NO, first))).toBeUndefined();
    expect(message(found('DECLINE', YES, first), found('DECLINE', YES, second))).toBe('First.');
    expect(message(found('DECLINE', YES))).toBeUndefined();
  });

  it('says nothing about a rule that failed', () => {
    expect(message(found('DECLINE', BROKEN, { message: 'Too much.' }))).toBe(
      'A rule could not be evaluated for this payment, so it is declined for safety.',
    );
  });
});

describe('the trace of the rules', () => {
  it('has the result of each rule, and the rule that allowed what another one would decline', () => {
    const findings = [
      found('DECLINE', YES),
      found('DECLINE', NO),
      found('SHADOW', BROKEN),
      found('ALLOW', YES),
    ];
    const inputsOf = (action: string) => ({
      rule_id: action,
      rule: `the ${action} rule`,
      version: '7',
      action,
    });
    expect(judgeByRules(findings, OWNERS).checks).toEqual([
      {
        name: 'rule',
        passed: true,
        inputs: { ...inputsOf('decline'), matched: 'true', allowed_by: 'allow' },
      },
      { name: 'rule', passed: true, inputs: { ...inputsOf('decline'), matched: 'false' } },
      {
        name: 'rule',
        passed: true,
        inputs: { ...inputsOf('shadow'), error: 'line 1, column 1: divides by zero' },
      },
      { name: 'rule', passed: true, inputs: { ...inputsOf('allow'), matched: 'true' } },
    ]);
  });
});
