/** What the rules together say about a payment. Pure: what each of them found is given. */
import type { Check, Decision } from './decision.ts';
import type { Facts } from './facts.ts';
import type { Rule } from './rule.ts';

/** Whether an expression is true for a payment; where it cannot be told, why, in words that name no figure. */
export type Tried = { readonly matched: boolean } | { readonly error: string };

export interface RuleFinding {
  readonly rule: Pick<Rule, 'id' | 'version' | 'name' | 'action' | 'message'>;
  readonly tried: Tried;
}

/** Tries every rule in force, in the order in which they were made. Never throws. */
export type TryRules = (facts: Facts) => readonly RuleFinding[];

export const NO_RULES: TryRules = () => [];

interface Verdict {
  /** One for each rule. */
  readonly checks: readonly Check[];
  readonly refusal: { readonly decline: 'RULE_DECLINED'; readonly message: Decision['message'] } | undefined;
  /** Whether a rule lets the payment pass all that decline. */
  readonly allowed: boolean;
}

/**
 * A rule that declines and cannot be told for this payment declines it too: it fails closed. A rule that allows passes the
 * payment by those as well, since it would whatever they had said; one that cannot be told allows nothing.
 */
export function judgeByRules(findings: readonly RuleFinding[]): Verdict {
  const allowing = findings.find(({ rule, tried }) => rule.action === 'ALLOW' && isMatch(tried));
  const declining = allowing ? undefined : findings.find(declines);
  return {
    checks: findings.map((finding) => toCheck(finding, allowing)),
    refusal: declining && { decline: 'RULE_DECLINED', message: messageOf(declining) },
    allowed: allowing !== undefined,
  };
}

function isMatch(tried: Tried): boolean {
  return 'matched' in tried && tried.matched;
}

function declines({ rule, tried }: RuleFinding): boolean {
  return rule.action === 'DECLINE' && ('error' in tried || tried.matched);
}

/** Undefined: the code's own sentence. */
function messageOf({ rule, tried }: RuleFinding): string | undefined {
  if ('error' in tried) return 'A rule could not be told for this payment, which is declined to be safe.';
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
