/**
 * CEL's own conformance tests (google/cel-spec, tests/simple/testdata, Apache-2.0), as the package @bufbuild/cel-spec has them. All
 * tests that rules can express must have the specified result. The others must be refused when a rule is saved.
 */
import { getConformanceSuite, type IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js';
import { expect, it } from 'vitest';
import type { Facts } from '../domain/facts.ts';
import { compileExpression } from './expression.ts';
import { ExpressionError } from './expression-error.ts';
import { toContext } from './vocabulary.ts';

type Test = IncrementalTestSuite['tests'][number]['original'];

const text = (value: string) => JSON.stringify(value);

/** The rule that is true if the test's expression has its expected value. Undefined for values that rules do not have. */
function ruleFor({ expr, resultMatcher }: Test): { rule: string; fails: boolean } | undefined {
  if (resultMatcher.case === 'evalError') return { rule: `(${expr}) == (${expr})`, fails: true };
  if (resultMatcher.case !== 'value') return undefined;
  const { kind } = resultMatcher.value;
  const equals = (literal: string) => ({ rule: `(${expr}) == ${literal}`, fails: false });
  switch (kind.case) {
    case 'boolValue':
      return equals(`${kind.value}`);
    case 'int64Value':
      return equals(`${kind.value}`);
    case 'stringValue':
      return equals(text(kind.value));
    default:
      return undefined;
  }
}

function* allTests({ name, suites, tests }: IncrementalTestSuite, path = ''): Generator<[string, Test]> {
  for (const suite of suites) yield* allTests(suite, `${path}/${name}`);
  for (const test of tests) yield [`${path}/${name}/${test.name}`, test.original];
}

const ACCOUNT = {
  id: 'acct_a',
  owner: 'usr_a',
  currency: 'EUR',
  state: 'ACTIVE',
  posted: 0n,
  held: 0n,
  available: 0n,
  age_days: 0n,
};
const FACTS: Facts = {
  payment: {
    id: 'pay_1',
    kind: 'payment',
    amount: 1n,
    currency: 'EUR',
    capture: 'automatic',
    description: '',
    reference: '',
  },
  metadata: {},
  from: ACCOUNT,
  to: ACCOUNT,
  usage: { daily: 0n, monthly: 0n, daily_count: 0n },
  limits: { per_payment: undefined, daily: undefined, monthly: undefined, daily_count: undefined },
  caller: { id: 'usr_a', roles: [] },
  now: new Date('2026-01-01T00:00:00Z'),
};
const context = toContext(FACTS);

it('gives the specified result of every conformance test that rules can express', () => {
  const wrong: string[] = [];
  let testedCount = 0;
  for (const [name, test] of allTests(getConformanceSuite())) {
    const wanted = ruleFor(test);
    if (!wanted) continue;
    let outcome: object;
    try {
      outcome = compileExpression(wanted.rule).tryOn(context);
    } catch (error) {
      if (error instanceof ExpressionError) continue;
      throw error;
    }
    testedCount += 1;
    const isRight = wanted.fails ? 'error' in outcome : 'matched' in outcome && outcome.matched === true;
    if (!isRight) wrong.push(`${name}: ${wanted.rule} is ${JSON.stringify(outcome)}`);
  }
  expect(wrong).toEqual([]);
  expect(testedCount).toBeGreaterThan(300);
});
