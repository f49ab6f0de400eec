/** One version of a rule. */
import { RuleAction, type Rule as RuleMessage } from '@payflowx/proto/authorization';
import { type Static, Type } from 'typebox';
import { RuleId } from './ids.ts';
import { count } from './money.ts';
import { named, ref } from './named.ts';
import { emptyAsNull, nullableText, text, time, timeJson } from './text.ts';
import { wireNames } from './wire-names.ts';

export const ACTIONS = wireNames(
  'The effect of a match. `decline` declines the payment with RULE_DECLINED, `allow` overrides every rule that declines, and `shadow` only records the match in the decision.',
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
  description: 'A CEL expression of type bool. The rule matches if it is true.',
  examples: ['payment.amount > 100000'],
});

export const messageInput = text(
  200,
  'The message for a declined payer.',
  'Please call us before paying this much.',
);

export const Rule = named(
  'Rule',
  Type.Object({
    id: ref(RuleId),
    version: count('Starts at 1. The ETag of the newest version is this number in quotes.'),
    name: Type.String({
      description: 'A name that is unique among rules and the same in all versions.',
      examples: ['large-at-night'],
    }),
    expression: Type.String({
      description: 'A CEL expression of type bool.',
      examples: ['payment.amount > 100000'],
    }),
    action: ACTIONS.schema,
    message: nullableText('The message for a declined payer.'),
    enabled: Type.Boolean({ description: 'True if the rule takes part in decisions.' }),
    created_by: Type.String({
      description: 'The user who saved this version.',
      examples: ['usr_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d'],
    }),
    created_at: time('When this version was saved.'),
    client_id: nullableText('The API client that acted for `created_by`; null if a person did.'),
    trace_id: nullableText('The trace of the request that saved this version. Its caller may choose it.'),
    call_id: nullableText(
      'The platform’s own id of the call, as in its log lines. Null for versions from before it was stored.',
    ),
  }),
);

export function ruleJson(rule: RuleMessage | undefined): Static<typeof Rule> {
  if (!rule) throw new Error('The response of authorization has no rule.');
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
    client_id: emptyAsNull(rule.clientId),
    trace_id: emptyAsNull(rule.traceId),
    call_id: emptyAsNull(rule.callId),
  };
}
