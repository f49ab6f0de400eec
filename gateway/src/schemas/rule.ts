/** One version of a rule. */
import { RuleAction, type Rule as RuleMessage } from '@payflowx/proto/authorization';
import { type Static, Type } from 'typebox';
import { RuleId } from './ids.ts';
import { count } from './money.ts';
import { named, ref } from './named.ts';
import { emptyAsNull, nullableText, text, time, timeJson } from './text.ts';
import { wireNames } from './wire-names.ts';

export const ACTIONS = wireNames(
  'What a match does: declines the payment with RULE_DECLINED, lets it pass every rule that declines, or is only recorded in the decision.',
  {
    [RuleAction.DECLINE]: 'decline',
    [RuleAction.ALLOW]: 'allow',
    [RuleAction.SHADOW]: 'shadow',
  },
);

/** The expression of a rule in requests. */
export const expressionInput = Type.String({
  minLength: 1,
  maxLength: 2_000,
  pattern: '^[^\\u0000]*$',
  description: 'CEL, of type bool: whether the rule matches.',
  examples: ['payment.amount > 100000'],
});

export const messageInput = text(
  200,
  'What a declined payer is told.',
  'Please call us before paying this much.',
);

export const Rule = named(
  'Rule',
  Type.Object({
    id: ref(RuleId),
    version: count('1 and up; the ETag of the newest is this, in quotes.'),
    name: Type.String({
      description: 'Unique among rules, the same in all versions.',
      examples: ['large-at-night'],
    }),
    expression: Type.String({ description: 'CEL, of type bool.', examples: ['payment.amount > 100000'] }),
    action: ACTIONS.schema,
    message: nullableText('What a declined payer is told.'),
    enabled: Type.Boolean({ description: 'Whether it takes part in decisions.' }),
    created_by: Type.String({
      description: 'Who saved this version.',
      examples: ['usr_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
    }),
    created_at: time('When this version was saved.'),
  }),
);

export function ruleJson(rule: RuleMessage | undefined): Static<typeof Rule> {
  if (!rule) throw new Error('Authorization answered without a rule.');
  return {
    id: rule.id,
    version: rule.version,
    name: rule.name,
    expression: rule.expression,
    action: ACTIONS.nameOf(rule.action),
    message: emptyAsNull(rule.message),
    enabled: rule.enabled,
    created_by: rule.createdBy,
    created_at: timeJson(rule.createdAt),
  };
}
