/** Compiles the enabled rules, once per version of the ruleset. */
import type { Logger } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Expression } from '../cel/expression.ts';
import { PayerTextError } from '../cel/expression-error.ts';
import { toContext } from '../cel/vocabulary.ts';
import type { TryRules } from '../domain/judge-rules.ts';
import type { Rule } from '../domain/rule.ts';
import type { Database } from '../store/database.ts';
import { findRuleset, type Ruleset } from '../store/rules.ts';
import { compileRule } from './compile-rule.ts';

export interface RulesInForce {
  /** Returns the rules of this version, which was just read, or of a later version. */
  at(db: Kysely<Database>, version: bigint): Promise<TryRules>;
  /** Returns the current rules. */
  now(db: Kysely<Database>): Promise<TryRules>;
}

export function createRulesInForce(log: Logger): RulesInForce {
  let version: bigint | undefined;
  let compiled: TryRules = () => [];

  const load = async (db: Kysely<Database>) => {
    const found = await findRuleset(db);
    if (found.version !== version) {
      compiled = compileRuleset(found, log);
      version = found.version;
    }
    return compiled;
  };

  return {
    at: async (db, wanted) => (wanted === version ? compiled : load(db)),
    now: load,
  };
}

function compileRuleset({ rules }: Ruleset, log: Logger): TryRules {
  const expressions = rules.map((rule) => ({ rule, expression: compileOrFail(rule, log) }));
  if (expressions.length === 0) return () => [];
  return (facts) => {
    const context = toContext(facts);
    return expressions.map(({ rule, expression }) => ({ rule, tried: expression.tryOn(context) }));
  };
}

/** A rule that was valid when saved may be refused after an update of this service. It then fails closed. */
function compileOrFail(rule: Rule, log: Logger): Pick<Expression, 'tryOn'> {
  try {
    return compileRule(rule);
  } catch (error) {
    if (error instanceof PayerTextError) {
      log.error(
        { err: error, rule: rule.name },
        'an ALLOW rule in force reads a text of the payer: it allows nothing',
      );
      return { tryOn: () => ({ error: error.message }) };
    }
    log.error(
      { err: error, rule: rule.name },
      'a rule in force cannot be compiled: it declines every payment',
    );
    return { tryOn: () => ({ error: 'it no longer compiles' }) };
  }
}
