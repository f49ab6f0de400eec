import { describe, expect, it } from 'vitest';
import type { Facts } from '../domain/facts.ts';
import { compileExpression } from './expression.ts';
import { toContext } from './vocabulary.ts';

const account = {
  id: 'acct_a',
  owner: 'usr_a',
  currency: 'EUR',
  state: 'ACTIVE',
  posted: 5_000n,
  held: 1_000n,
  available: 4_000n,
  age_days: 3n,
};
const facts: Facts = {
  payment: {
    id: 'pay_1',
    kind: 'payment',
    amount: 1_250n,
    currency: 'EUR',
    capture: 'automatic',
    description: 'Café 😀',
    reference: 'order-7',
  },
  metadata: { country: 'DE', score: '17', constructor: 'own' },
  from: account,
  to: { ...account, id: 'acct_b', owner: 'usr_b' },
  usage: { daily: 100n, monthly: 900n, daily_count: 2n },
  limits: { per_payment: undefined, daily: 500n, monthly: undefined, daily_count: undefined },
  caller: { id: 'usr_a', roles: ['customer'] },
  now: new Date('2025-03-10T23:30:00Z'),
};
const context = toContext(facts);
const tried = (expression: string) => compileExpression(expression).tryOn(context);

describe('an expression', () => {
  it.each([
    ['payment.amount == 1250 && payment.currency in ["EUR", "USD"]', true],
    ['payment.kind == "withdrawal" || payment.capture == "manual"', false],
    ['payment.description.lowerAscii().contains("caf") && payment.description.size() == 6', true],
    ['payment.reference.startsWith("order-") && !payment.reference.endsWith("8")', true],
    ['has(metadata.country) && metadata.country == "DE"', true],
    ['has(metadata.risk) && metadata.risk == "high"', false],
    ['"risk" in metadata ? metadata["risk"] == "high" : false', false],
    ['has(metadata.toString) || "__proto__" in metadata', false],
    ['int(metadata.score) > 16 && int(metadata.score) * 2 == 34', true],
    ['from.available == from.posted - from.held && from.age_days < 7', true],
    ['from.owner == to.owner', false],
    ['has(limits.daily) && usage.daily + payment.amount > limits.daily', true],
    ['has(limits.monthly) && usage.monthly > limits.monthly', false],
    ['usage.daily_count >= 2', true],
    ['"operator" in caller.roles', false],
    [
      'now.getHours() == 23 && now.getDayOfWeek() == 1 && now.getDayOfMonth() == 9 && now.getMonth() == 2',
      true,
    ],
    ['now - duration("24h") < timestamp("2025-03-10T12:00:00Z")', true],
    ['now == timestamp("2025-03-11T00:30:00.000+01:00")', true],
    // An error does not matter if the other operand decides, as CEL defines it.
    ['metadata.risk == "high" || true', true],
    ['false && metadata.risk == "high"', false],
    ['(payment.amount + 1) * 2 - 3 > 10 % 4 // a comment', true],
    ['9223372036854775807 > payment.amount', true],
    ['-9223372036854775808 < payment.amount && -9223372036854775808 + 1 == -9223372036854775807', true],
    ['now - timestamp("2025-03-10T00:00:00Z") == duration("1410m")', true],
    ['timestamp("2025-03-10T00:00:00Z") - now == duration("0s") - duration("1410m")', true],
    ['now + duration("30m") == timestamp("2025-03-11T00:00:00Z")', true],
    ['timestamp("0001-01-01T00:00:00Z") < now && now < timestamp("9999-12-31T23:59:59.999Z")', true],
    // Only ASCII letters change: not the sign of Kelvin, ß or é.
    ['"\u212Aß É".lowerAscii() == "\u212Aß É" && "K".lowerAscii() == "k"', true],
    ['"ßéı".upperAscii() == "ßéı" && "ss".upperAscii() == "SS"', true],
    // By code points, not by UTF-16 units.
    ['"\uFF5E" < "😀" && "😀" >= "\uFF5E"', true],
  ])('%s is %s', (expression, matched) => {
    expect(tried(expression)).toEqual({ matched });
  });

  it.each([
    ['metadata.risk == "high"', 'line 1, column 10: risk is not there'],
    ['metadata["risk"] == "high"', 'line 1, column 1: metadata["risk"] is not there'],
    ['usage.monthly > limits.monthly', 'line 1, column 24: monthly is not there'],
    ['caller.roles[7] == "operator"', 'line 1, column 1: caller.roles[7] is not there'],
    ['payment.amount *\n 9223372036854775807 > 0', expect.stringContaining('does not fit into 64 bits')],
    ['-(payment.amount - payment.amount - 9223372036854775807 - 1) > 0', expect.stringContaining('64 bits')],
    ['(0 - 9223372036854775807 - 1) / (usage.daily - 101) > 0', expect.stringContaining('64 bits')],
    ['(0 - 9223372036854775807 - 1) % (usage.daily - 101) == 0', expect.stringContaining('64 bits')],
    ['timestamp("9999-12-31T23:59:59Z") + duration("1s") > now', expect.stringContaining('years 1 to 9999')],
    ['timestamp("0001-01-01T00:00:00Z") - duration("1s") < now', expect.stringContaining('years 1 to 9999')],
    ['now - timestamp("0001-01-01T00:00:00Z") > duration("1s")', expect.stringContaining('292 years')],
    ['payment.amount / (usage.daily - 100) > 1', expect.stringContaining('divides by zero')],
    ['int(metadata.country) > 1', expect.stringContaining('is not a whole number')],
    [
      `${'payment.amount + '.repeat(5)}9223372036854775807 > 0`,
      expect.stringMatching(/ payment.{52}… does not fit/),
    ],
  ])('that cannot be evaluated has an error without figures: %s', (expression, error) => {
    expect(tried(expression)).toEqual({ error });
  });

  it.each(['', ' 1', '1 ', '0b1', '0x1', '1.0', '1e3', '9223372036854775808', '٣', 'x'])(
    'refuses a text that is not a number: %j',
    (score) => {
      const odd = toContext({ ...facts, metadata: { score } });
      expect(compileExpression('int(metadata.score) < 99').tryOn(odd)).toHaveProperty('error');
    },
  );

  it('handles integers exactly up to 64 bits', () => {
    for (const [score, matched] of [
      ['9223372036854775807', true],
      ['9223372036854775806', false],
    ] as const) {
      const most = toContext({ ...facts, metadata: { score } });
      const expression = compileExpression('int(metadata.score) == 9223372036854775807');
      expect(expression.tryOn(most)).toEqual({ matched });
    }
  });
});

describe('an expression is refused, with the place', () => {
  const deep = (open: string, close: string) => `${open.repeat(900)}true${close.repeat(900)}`;
  it.each([
    ['that does not end', 'payment.amount >', 'line 1, column 17: unexpected token: EOF'],
    ['that is broken', 'payment.amount > 1 &\n& true', 'line 1, column 20: unexpected character: &'],
    ['with a text that does not end', 'payment.id == "x', 'line 1, column 15: unterminated string'],
    [
      'in a later line',
      'payment.amount > 1 &&\n  payment.amuont < 3',
      'line 2, column 11: there is no field amuont',
    ],
    ['past a character of two units', '"😀" == payment.nme', 'line 1, column 16: there is no field nme'],
    [
      'with an unknown name',
      'amount > 3',
      /^line 1, column 1: there is no variable amount: rules can use payment, from,/,
    ],
    ['with an unknown field, also in has()', 'has(payment.fee)', /^line 1, column 5: has\(\) needs a key/],
    ['with a field of a text', 'metadata.a.b == "x"', /^line 1, column 12: cannot index/],
    [
      'that compares what cannot be',
      'payment.amount > "3"',
      /^line 1, column 1: no such overload: int > string/,
    ],
    [
      'that compares with a fraction',
      'payment.amount > 12.5',
      /^line 1, column 18: rules cannot use fractions/,
    ],
    ['that is a number', 'payment.amount + 1', 'line 1, column 1: must be true or false, not of type int'],
    ['that is a text', 'payment.id', 'line 1, column 1: must be true or false, not of type string'],
    ['that is empty', '', /unexpected token: EOF/],
    [
      'that loops',
      'caller.roles.exists(r, r == "a")',
      /^line 1, column 1: there is no function exists for rules/,
    ],
    ['that loops and makes lists', 'caller.roles.map(r, r).size() > 1', /there is no function map/],
    ['that binds a name', 'cel.bind(x, 1, x == 1)', /there is no function bind/],
    ['with a pattern', 'payment.id.matches("(a+)+$")', /there is no function matches/],
    ['that avoids the type check', 'dyn(payment.amount) == "x"', /there is no function dyn/],
    ['with an unknown function', 'true || fee(payment.amount) > 1', /^line 1, column 9: /],
    [
      'that makes texts grow',
      'payment.id + payment.id == ""',
      'line 1, column 1: + works only for numbers and times',
    ],
    ['that makes lists grow', '"a" in (["a"] + ["b"])', /\+ works only for numbers and times/],
    ['with a map', '{"a": 1}.a == 1', /rules cannot use this part of CEL/],
    ['with bytes', 'b"a" == b"a"', /only be texts, whole numbers, true and false/],
    ['with an unsigned number', 'payment.amount > 1u', /^line 1, column 18: literals can only be texts/],
    ['with null', 'null == null', /only be texts/],
    ['with a type', 'int == int', /^line 1, column 1: there is no variable int: rules can use/],
    [
      'with a number that is too large',
      'payment.amount < 9223372036854775808',
      /^line 1, column 18: the number/,
    ],
    [
      'with a day that does not exist',
      'now > timestamp("2026-02-30T00:00:00Z")',
      /the argument must be a text/,
    ],
    ['with a time before the year 1', 'now > timestamp("0001-01-01T00:00:00+01:00")', /must be a text/],
    ['with a loop over nothing', '[].all(x, x > 0)', /^line 1, column 1: rules cannot use this part of CEL/],
    ['with a field name that is computed', 'payment[metadata.a] == 1', /write a field with a dot/],
    [
      'with an invalid time',
      'now > timestamp("tomorrow")',
      /^line 1, column 17: the argument must be a text/,
    ],
    [
      'with a time without an offset',
      'now > timestamp("2025-03-10T12:00:00.0")',
      /the argument must be a text/,
    ],
    [
      'with a time of no zone of RFC 3339',
      'now > timestamp("2025-03-10T12:00:00+0100")',
      /the argument must be a text/,
    ],
    [
      'with a day that does not exist',
      'now > timestamp("2025-02-30T12:00:00Z")',
      /the argument must be a text/,
    ],
    [
      'with a time finer than now',
      'now > timestamp("2025-03-10T12:00:00.0001Z")',
      /the argument must be a text/,
    ],
    [
      'with a computed time',
      'now > timestamp(metadata.due)',
      /^line 1, column 17: the argument must be a text/,
    ],
    [
      'with an invalid duration',
      'now - duration("1d") < now',
      /^line 1, column 16: the argument must be a text/,
    ],
    [
      'with hours elsewhere',
      'now.getHours("Europe/Berlin") < 6',
      /^line 1, column 14: getHours\(\) is always in UTC/,
    ],
    ['with int of a number', 'int(payment.amount) == 1', /overload for 'int\(int\)'/],
    ['with brackets without end', deep('(', ')'), /^line 1, column 33: deeper than 32 levels/],
    ['with lists without end', deep('[', ']'), /deeper than 32 levels/],
    ['with signs without end', `${'!'.repeat(1_990)}true`, /more than 500 parts/],
    ['with choices without end', `${'true?'.repeat(180)}true${':true'.repeat(180)}`, /deeper than 32 levels/],
    ['with points without end', `metadata${'.a'.repeat(900)}`, /deeper than 32 levels/],
    ['with terms without end', Array(300).fill('1').join('+'), /more than 500 parts/],
    ['that is too long', `payment.id == "${'a'.repeat(2_000)}"`, /longer than 2000 characters/],
  ])('%s', (_, expression, problem) => {
    expect(() => compileExpression(expression)).toThrow(problem);
  });

  it('accepts the longest list that fits into the text', () => {
    const countries = Array.from({ length: 200 }, (_, index) => `"C${index}"`).join(', ');
    expect(tried(`metadata.country in [${countries}]`)).toEqual({ matched: false });
  });
});
