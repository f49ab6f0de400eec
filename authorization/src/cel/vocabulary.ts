/** The words that rules are written in: variables with their types, for the checker and for every evaluation. */
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

/** The variables that have fields. Each fact has its type here: the compiler asks for a missing one. */
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

/** What bounds an expression, and with it the time of an evaluation: there are no loops. */
export const LIMITS = { maxAstNodes: 500, maxDepth: 32, maxListElements: 200, maxCallArguments: 4 };

export const environment = new Environment({ limits: LIMITS })
  .registerVariable('metadata', 'map<string, string>')
  .registerVariable('now', 'google.protobuf.Timestamp');

type Variable = keyof typeof FIELDS;

/** The library tells types apart by constructor, and reads the fields of such an object where they are. */
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

/** The facts as an evaluation takes them. Made once for all rules. */
export function toContext(facts: Facts): Context {
  return {
    payment: groups.payment(facts.payment),
    from: groups.from(facts.from),
    to: groups.to(facts.to),
    usage: groups.usage(facts.usage),
    limits: groups.limits(facts.limits),
    caller: groups.caller(facts.caller),
    // A Map: a key such as "constructor" is in no Map by itself.
    metadata: new Map(Object.entries(facts.metadata)),
    now: facts.now,
  };
}

/** What `int` in an expression is called inside: as long, so that every place in the text stays where it is. */
export const STRICT_INT = 'Int';

// The library's own int() takes "" for 0 and "0b1" for 1. A fact that is no number must not pass for a small one.
environment.registerFunction(`${STRICT_INT}(string): int`, (text: string) => {
  const number = /^[+-]?[0-9]{1,19}$/.test(text) ? BigInt(text) : undefined;
  if (number !== undefined && BigInt.asIntN(64, number) === number) return number;
  throw new EvaluationError({ code: 'int_conversion_error', message: 'not a whole number of 64 bits' });
});
