/** Combines the results of all rules into one verdict about a payment. Pure. */
import type { Check, Decision } from './decision.ts';
import type { Facts } from './facts.ts';
import type { Rule } from './rule.ts';

/** The result of an expression for a payment: true, false, or an error text without figures. */
export type Tried = { readonly matched: boolean } | { readonly error: string };

export interface RuleFinding {
  readonly rule: Pick<Rule, 'id' | 'version' | 'name' | 'action' | 'message' | 'origin'>;
  readonly tried: Tried;
}

/** Evaluates every enabled rule, in order of creation. Never throws. */
export type TryRules = (facts: Facts) => readonly RuleFinding[];

export const NO_RULES: TryRules = () => [];

interface Verdict {
  /** One for each rule. */
  readonly checks: readonly Check[];
  readonly refusal: { readonly decline: 'RULE_DECLINED'; readonly message: Decision['message'] } | undefined;
  /** True if an ALLOW rule matched. It overrides all DECLINE rules. */
  readonly allowed: boolean;
}

/**
 * A DECLINE rule that cannot be evaluated declines the payment: it fails closed. A matching ALLOW rule overrides such errors too,
 * since it overrides any result. An ALLOW rule that cannot be evaluated allows nothing.
 *
 * `owners`: of the two accounts.
 */
export function judgeByRules(found: readonly RuleFinding[], owners: readonly string[]): Verdict {
  const findings = found.map((finding) => (helpsItsAuthor(finding, owners) ? refused(finding) : finding));
  const allowing = findings.find(({ rule, tried }) => rule.action === 'ALLOW' && isMatch(tried));
  const declining = allowing ? undefined : findings.find(declines);
  return {
    checks: findings.map((finding) => toCheck(finding, allowing)),
    refusal: declining && { decline: 'RULE_DECLINED', message: messageOf(declining) },
    allowed: allowing !== undefined,
  };
}

/** Separation of duties: no operator exempts accounts of its own from the rules. Another operator must save the rule. */
function helpsItsAuthor({ rule, tried }: RuleFinding, owners: readonly string[]): boolean {
  return rule.action === 'ALLOW' && isMatch(tried) && owners.includes(rule.origin.callerId);
}

function refused({ rule }: RuleFinding): RuleFinding {
  return { rule, tried: { error: 'it allows nothing for accounts of the operator who saved it' } };
}

function isMatch(tried: Tried): boolean {
  return 'matched' in tried && tried.matched;
}

function declines({ rule, tried }: RuleFinding): boolean {
  return rule.action === 'DECLINE' && ('error' in tried || tried.matched);
}

/** Undefined means the default text of the code. */
function messageOf({ rule, tried }: RuleFinding): string | undefined {
  if ('error' in tried)
    return 'A rule could not be evaluated for this payment, so it is declined for safety.';
  return rule.message === '' ? undefined : rule.message;
}

function toCheck(finding: RuleFinding, allowing: RuleFinding | undefined): Check {
  const { rule, tried } = finding;
  const wouldDecline = declines(finding);
  const inputs: Record<string, string> = {
    rule_id: rule.id,
    rule: rule.name,
    version: `${rule.version}`,
    action: rule.action.toLowerCase(),
  };
  if ('error' in tried) inputs.error = tried.error;
  else inputs.matched = `${tried.matched}`;
  if (wouldDecline && allowing) inputs.allowed_by = allowing.rule.id;
  return { name: 'rule', passed: !wouldDecline || allowing !== undefined, inputs };
}
