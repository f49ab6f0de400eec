/** Rules as operators write them. A rule never changes: each change is a new version, and the newest applies. Pure. */
import type { Origin } from '@payflowx/chassis';
import { AuthorizationError } from './errors.ts';

export type RuleAction = 'DECLINE' | 'ALLOW' | 'SHADOW';

/** The settings of a rule. */
export interface RuleTerms {
  /** CEL, of type bool. */
  readonly expression: string;
  readonly action: RuleAction;
  /** The text for payers whose payment it declines. Empty: they get the default text. */
  readonly message: string;
  readonly enabled: boolean;
}

/** One version of a rule. */
export interface Rule extends RuleTerms {
  readonly id: string;
  /** Starts at 1. */
  readonly version: bigint;
  /** The same in all versions, and unique among rules. */
  readonly name: string;
  /** The operator who saved this version. */
  readonly origin: Origin;
  readonly createdAt: Date;
}

export type RuleChange = { readonly [K in keyof RuleTerms]: RuleTerms[K] | undefined };

/**
 * Returns the rule's new settings; undefined fields of the change keep their value. Undefined if nothing changes. Throws
 * VERSION_MISMATCH.
 */
export function changedTerms(rule: Rule, change: RuleChange, expectedVersion: bigint): RuleTerms | undefined {
  if (rule.version !== expectedVersion) {
    throw new AuthorizationError('VERSION_MISMATCH', 'The rule was changed in the meantime.', {
      metadata: { version: `${rule.version}` },
    });
  }
  const terms = {
    expression: change.expression ?? rule.expression,
    action: change.action ?? rule.action,
    message: change.message ?? rule.message,
    enabled: change.enabled ?? rule.enabled,
  };
  return sameTerms(terms, rule) ? undefined : terms;
}

export function sameTerms(a: RuleTerms, b: RuleTerms): boolean {
  return (
    a.expression === b.expression &&
    a.action === b.action &&
    a.message === b.message &&
    a.enabled === b.enabled
  );
}
