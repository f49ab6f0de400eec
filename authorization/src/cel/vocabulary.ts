/** The variables of rules with their types, for the checker and for evaluation. */
import { type Context, Environment, EvaluationError } from '@marcbachmann/cel-js';
import type { Facts } from '../domain/facts.ts';

const ACCOUNT = {
  id: 'string',
  owner: 'string',
  currency: 'string',
  state: 'string',
  posted: 'int',
  held: 'int',
  available: 'int',
  age_days: 'int',
};

/** The variables with fields. Every fact has its type here: the compiler reports a missing one. */
export const FIELDS = {
  payment: {
    id: 'string',
    kind: 'string',
    amount: 'int',
    currency: 'string',
    capture: 'string',
    description: 'string',
    reference: 'string',
  },
  from: ACCOUNT,
  to: ACCOUNT,
  usage: { daily: 'int', monthly: 'int', daily_count: 'int' },
  limits: { per_payment: 'int', daily: 'int', monthly: 'int', daily_count: 'int' },
  caller: { id: 'string', roles: 'list<string>' },
} satisfies { [V in Exclude<keyof Facts, 'metadata' | 'now'>]: Record<keyof Facts[V], string> };

/** Limits the size of an expression, and so its evaluation time: there are no loops. */
export const LIMITS = { maxAstNodes: 500, maxDepth: 32, maxListElements: 200, maxCallArguments: 4 };

export const environment = new Environment({ limits: LIMITS })
  .registerVariable('metadata', 'map<string, string>')
  .registerVariable('now', 'google.protobuf.Timestamp');

type Variable = keyof typeof FIELDS;

/** The library finds types by constructor, and reads the fields of such objects directly. */
function registerGroup<V extends Variable>(variable: V): (values: Facts[V]) => object {
  const Group = class {
    constructor(values: Facts[V]) {
      Object.assign(this, values);
    }
  };
  environment.registerType(variable, { ctor: Group, fields: FIELDS[variable] });
  environment.registerVariable(variable, variable);
  return (values) => new Group(values);
}

const groups = {
  payment: registerGroup('payment'),
  from: registerGroup('from'),
  to: registerGroup('to'),
  usage: registerGroup('usage'),
  limits: registerGroup('limits'),
  caller: registerGroup('caller'),
};

/** Converts the facts for evaluation. Runs once for all rules. */
export function toContext(facts: Facts): Context {
  return {
    payment: groups.payment(facts.payment),
    from: groups.from(facts.from),
    to: groups.to(facts.to),
    usage: groups.usage(facts.usage),
    limits: groups.limits(facts.limits),
    caller: groups.caller(facts.caller),
    // A Map, since a Map has no inherited keys such as "constructor".
    metadata: new Map(Object.entries(facts.metadata)),
    now: facts.now,
  };
}

/** The internal name of `int`. It has the same length, so that all positions in the text stay the same. */
export const STRICT_INT = 'Int';

// The library's own int() reads "" as 0 and "0b1" as 1. A text that is not a number must not pass as a small one.
environment.registerFunction(`${STRICT_INT}(string): int`, (text: string) => {
  const number = /^[+-]?[0-9]{1,500}$/.test(text) ? BigInt(text) : undefined;
  if (number !== undefined && BigInt.asIntN(64, number) === number) return number;
  throw new EvaluationError({ code: 'int_conversion_error', message: 'not a whole number of 64 bits' });
});
