/** Saves versions of rules, one at a time, under the lock of the ruleset. Decisions do not wait for that lock. */
import type { Origin } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { compileExpression, type Expression } from '../cel/expression.ts';
import { ExpressionError, PayerTextError } from '../cel/expression-error.ts';
import { AuthorizationError, invalid } from '../domain/errors.ts';
import { changedTerms, type Rule, type RuleChange, type RuleTerms, sameTerms } from '../domain/rule.ts';
import type { Database } from '../store/database.ts';
import {
  findRule,
  findRuleByName,
  findRuleByRequest,
  findRuleset,
  insertRuleVersion,
  lockRules,
} from '../store/rules.ts';
import { compileRule } from './compile-rule.ts';

export interface SaveRuleDeps {
  db: Kysely<Database>;
  now: () => Date;
  newRuleId: () => string;
}

/** The most evaluation steps of all enabled rules together. It limits their cost per payment to half a millisecond. */
const MAX_STEPS = 5_000;
/** Each enabled rule adds a check to the trace of every decision. */
const MAX_ENABLED = 100;

export interface CreateRuleCommand {
  origin: Origin;
  /** Empty: not idempotent. */
  requestId: string;
  name: string;
  terms: RuleTerms;
}

/** Saves the first version. Throws INVALID_ARGUMENT, PAYER_WRITTEN_FACT, RULE_NAME_TAKEN, REQUEST_ID_REUSED. */
export function createRule(
  { db, now, newRuleId }: SaveRuleDeps,
  { origin, requestId, name, terms }: CreateRuleCommand,
): Promise<Rule> {
  return inTransaction(db, async (trx) => {
    await lockRules(trx);
    const earlier = await findRuleByRequest(trx, { callerId: origin.callerId, requestId });
    if (earlier !== undefined) return sameRule(earlier, name, terms);
    if ((await findRuleByName(trx, name)) !== undefined) {
      throw new AuthorizationError('RULE_NAME_TAKEN', 'A rule with this name already exists.');
    }
    const rule = { ...terms, id: newRuleId(), name, version: 1n, origin, createdAt: now() };
    await requireAcceptable(trx, rule);
    await insertRuleVersion(trx, rule, requestId);
    return rule;
  });
}

function sameRule(earlier: Rule, name: string, terms: RuleTerms): Rule {
  if (earlier.name === name && sameTerms(earlier, terms)) return earlier;
  throw new AuthorizationError('REQUEST_ID_REUSED', 'This request id was used for another request.');
}

interface UpdateRuleCommand {
  origin: Origin;
  ruleId: string;
  expectedVersion: bigint;
  change: RuleChange;
}

/**
 * Saves the next version. Returns the current one if nothing changes. Throws RULE_NOT_FOUND, VERSION_MISMATCH, INVALID_ARGUMENT,
 * PAYER_WRITTEN_FACT.
 */
export function updateRule(
  { db, now }: SaveRuleDeps,
  { origin, ruleId, expectedVersion, change }: UpdateRuleCommand,
): Promise<Rule> {
  return inTransaction(db, async (trx) => {
    await lockRules(trx);
    const rule = await findRule(trx, ruleId);
    if (rule === undefined) throw new AuthorizationError('RULE_NOT_FOUND', 'There is no such rule.');
    const terms = changedTerms(rule, change, expectedVersion);
    if (terms === undefined) return rule;
    const next = { ...rule, ...terms, version: rule.version + 1n, origin, createdAt: now() };
    // A rule can always be disabled, even if its expression is no longer valid.
    const isNewRule = next.expression !== rule.expression || next.action !== rule.action;
    if (next.enabled || isNewRule) await requireAcceptable(trx, next);
    await insertRuleVersion(trx, next, '');
    return next;
  });
}

/**
 * Throws INVALID_ARGUMENT unless the expression is valid and the enabled rules stay within both limits, PAYER_WRITTEN_FACT.
 */
async function requireAcceptable(trx: Transaction<Database>, rule: Rule): Promise<void> {
  const steps = stepsUnlessInvalid(() => compileRule(rule));
  if (!rule.enabled) return;
  const others = (await findRuleset(trx)).rules.filter(({ id }) => id !== rule.id);
  if (others.length >= MAX_ENABLED) {
    throw invalid([{ field: 'enabled', description: `at most ${MAX_ENABLED} rules can be enabled` }]);
  }
  const all = others.reduce((sum, { expression }) => sum + stepsIfValid(expression), steps);
  if (all <= MAX_STEPS) return;
  throw invalid([
    {
      field: 'enabled',
      description: `all enabled rules together would take ${all} evaluation steps per payment; the limit is ${MAX_STEPS}`,
    },
  ]);
}

/** Returns the evaluation steps of the expression. Throws INVALID_ARGUMENT with the place of a mistake. */
export function stepsOf(expression: string): number {
  return stepsUnlessInvalid(() => compileExpression(expression));
}

function stepsUnlessInvalid(compile: () => Expression): number {
  try {
    return compile().cost;
  } catch (error) {
    if (error instanceof PayerTextError) throw payerWritten(error);
    if (error instanceof ExpressionError)
      throw invalid([{ field: 'expression', description: error.message }]);
    throw error;
  }
}

/** A rule that is no longer valid is not evaluated, so it takes 0 steps. */
function stepsIfValid(expression: string): number {
  try {
    return stepsOf(expression);
  } catch {
    return 0;
  }
}

function payerWritten({ message }: PayerTextError): AuthorizationError {
  return new AuthorizationError('PAYER_WRITTEN_FACT', 'Payers could exempt themselves from every rule.', {
    violations: [{ field: 'expression', description: message }],
  });
}
