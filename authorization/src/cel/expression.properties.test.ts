import { celEnv, isCelError, parse, plan } from '@bufbuild/cel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccountFacts, Facts } from '../domain/facts.ts';
import { judgeByRules, type Tried } from '../domain/judge-rules.ts';
import { MAX_MINOR } from '../domain/money.ts';
import type { RuleAction } from '../domain/rule.ts';
import { compileExpression } from './expression.ts';
import { toContext } from './vocabulary.ts';

/** `make mutate` draws fewer cases. */
const { numRuns: USUAL_RUNS = 100 } = fc.readConfigureGlobal();

const minor = fc.oneof(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: MAX_MINOR }));
const signed = fc.oneof(fc.bigInt({ min: -3n, max: 3n }), fc.bigInt({ min: -MAX_MINOR, max: MAX_MINOR }));
const word = fc.oneof(
  fc.constantFrom('', 'a', 'ab', 'EUR', '😀é', '__proto__', '5'),
  fc.string({ maxLength: 500 }),
);
const maybe = fc.option(minor, { nil: undefined });
const account: fc.Arbitrary<AccountFacts> = fc.record({
  id: word,
  owner: word,
  currency: fc.constantFrom('EUR', 'USD'),
  state: fc.constantFrom('ACTIVE', 'FROZEN'),
  posted: signed,
  held: minor,
  available: signed,
  age_days: fc.bigInt({ min: 0n, max: 9_999n }),
});
const anyFacts: fc.Arbitrary<Facts> = fc.record({
  payment: fc.record({
    id: word,
    kind: fc.constantFrom('payment', 'deposit', 'withdrawal'),
    amount: minor,
    currency: fc.constantFrom('EUR', 'USD'),
    capture: fc.constantFrom('automatic', 'manual'),
    description: word,
    reference: word,
  }),
  metadata: fc.dictionary(fc.constantFrom('a', 'b', 'constructor', 'toString'), word),
  from: account,
  to: account,
  usage: fc.record({ daily: minor, monthly: minor, daily_count: minor }),
  limits: fc.record({ per_payment: maybe, daily: maybe, monthly: maybe, daily_count: maybe }),
  caller: fc.record({ id: word, roles: fc.subarray(['customer', 'operator', 'auditor']) }),
  now: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
});

/** Generates rule expressions by type. They include absent values, overflows and divisions by zero. */
const { bool } = fc.letrec<{ bool: string; int: string; text: string }>((tie) => {
  const joined = (operators: string[], of: fc.Arbitrary<string>) =>
    fc.tuple(of, fc.constantFrom(...operators), of).map(([a, operator, b]) => `(${a} ${operator} ${b})`);
  const int = tie('int');
  const text = tie('text');
  const truth = tie('bool');
  const depth = { maxDepth: 4, depthIdentifier: 'expression' };
  return {
    int: fc.oneof(
      depth,
      fc.constantFrom(
        'payment.amount',
        'from.posted',
        'to.held',
        'usage.daily',
        'limits.daily',
        'from.age_days',
      ),
      fc.constantFrom('0', '1', '-1', '9223372036854775807', 'limits.monthly', 'now.getHours()'),
      fc.tuple(fc.constantFrom('+', '-', '*', '/', '%'), int, int).map(([o, a, b]) => `(${a} ${o} ${b})`),
      text.map((of) => `size(${of})`),
      int.map((of) => `-(${of})`),
    ),
    text: fc.oneof(
      depth,
      fc.constantFrom('payment.currency', 'payment.description', 'from.id', 'to.owner', 'caller.roles[0]'),
      fc.constantFrom('metadata.a', 'metadata["b"]', 'metadata.constructor', '""', '"a"', '"EUR"', '"😀"'),
      text.map((of) => `(${of}).lowerAscii()`),
      fc.tuple(truth, text, text).map(([when, a, b]) => `(${when} ? ${a} : ${b})`),
    ),
    bool: fc.oneof(
      depth,
      fc.constantFrom(
        'true',
        'has(metadata.a)',
        'has(limits.daily)',
        '"b" in metadata',
        '"operator" in caller.roles',
      ),
      joined(['==', '!=', '<', '<=', '>', '>='], int),
      joined(['==', '!=', '<', '>='], text),
      fc.tuple(int, int, int).map(([a, b, c]) => `(${a} in [${b}, ${c}])`),
      fc
        .tuple(text, fc.constantFrom('startsWith', 'endsWith', 'contains'), text)
        .map(([a, method, b]) => `(${a}).${method}(${b})`),
      joined(['&&', '||'], truth),
      truth.map((of) => `!(${of})`),
      fc.tuple(truth, truth, truth).map(([when, a, b]) => `(${when} ? ${a} : ${b})`),
    ),
  };
});

/** Converts the facts for the other implementation: an absent limit has no key there. */
function asMaps({ metadata, now: _, ...groups }: Facts) {
  const maps = Object.entries(groups).map(([name, group]) => [
    name,
    new Map<string, unknown>(Object.entries(group).filter(([, value]) => value !== undefined)),
  ]);
  return { ...Object.fromEntries(maps), metadata: new Map(Object.entries(metadata)) };
}

/**
 * Leaves out the functions that are not in the core of CEL, and the time, which the other implementation takes in another form.
 */
function isCore(expression: string): boolean {
  return !expression.includes('lowerAscii') && !expression.includes('now');
}

describe('any expression, on any facts', () => {
  it('has the same result as in the implementation that passes the CEL conformance tests', () => {
    fc.assert(
      fc.property(bool.filter(isCore), anyFacts, (expression, facts) => {
        const expected = plan(celEnv(), parse(expression))(asMaps(facts));
        const tried = compileExpression(expression).tryOn(toContext(facts));
        if (isCelError(expected)) expect(tried).toHaveProperty('error');
        else expect(tried).toEqual({ matched: expected });
      }),
      { numRuns: 30 * USUAL_RUNS },
    );
  });

  it('is true, false or an error, and the error text contains no fact', () => {
    fc.assert(
      fc.property(bool, anyFacts, (expression, facts) => {
        const tried = compileExpression(expression).tryOn(toContext(facts));
        if ('error' in tried) {
          expect(tried.error).toMatch(/^line \d+, column \d+: /);
          const words = tried.error.replace(/^line \d+, column \d+: /, '');
          const [shown = ''] = words.split(/ (?:is not|does not|divides|cannot)/);
          // Long parts are cut and end with an ellipsis.
          expect(expression).toContain(shown.replace(/…$/, ''));
        } else {
          expect(typeof tried.matched).toBe('boolean');
        }
      }),
      { numRuns: 10 * USUAL_RUNS },
    );
  });
});

const anyTried: fc.Arbitrary<Tried> = fc.oneof(
  fc.record({ matched: fc.boolean() }),
  fc.record({ error: fc.constant('line 1, column 1: x is not there') }),
);
const anyAction = fc.constantFrom<RuleAction[]>('DECLINE', 'ALLOW', 'SHADOW');

const by = (callerId: string) => ({ callerId, traceId: '' });

describe('any rules together', () => {
  it('approve a payment only if each DECLINE rule is known not to match, or an ALLOW rule of another operator is known to match', () => {
    const drawnRule = fc.record({
      action: anyAction,
      tried: anyTried,
      author: fc.constantFrom('payer', 'other'),
    });
    const rules = fc.array(drawnRule, { maxLength: 6 });
    fc.assert(
      fc.property(rules, (drawn) => {
        const findings = drawn.map(({ action, tried, author }, index) => ({
          rule: {
            id: `rule_${index}`,
            version: 1n,
            name: `${index}`,
            action,
            message: '',
            origin: by(author),
          },
          tried,
        }));
        const verdict = judgeByRules(findings, ['payer', 'receiver']);
        const isAllowed = drawn.some(
          ({ action, tried, author }) =>
            action === 'ALLOW' && author === 'other' && 'matched' in tried && tried.matched,
        );
        const isClear = drawn.every(
          ({ action, tried }) => action !== 'DECLINE' || ('matched' in tried && !tried.matched),
        );
        expect(verdict.refusal === undefined).toBe(isAllowed || isClear);
        expect(verdict.checks.every(({ passed }) => passed)).toBe(isAllowed || isClear);
        expect(verdict.checks.length).toBe(drawn.length);
      }),
    );
  });
});
