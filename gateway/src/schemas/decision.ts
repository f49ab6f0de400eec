/** The decision about a payment, with every check that led to it. */
import type { Decision as DecisionMessage } from '@payflowx/proto/authorization';
import { OUTCOME_NAMES, decisionJson as sharedDecisionJson } from '@payflowx/proto/payment-json';
import { type Static, Type } from 'typebox';
import { minorUnits } from './money.ts';
import { named, nullable } from './named.ts';
import { nullableText, nullableTime, texts, time } from './text.ts';
import { wireNames } from './wire-names.ts';

const OUTCOMES = wireNames('The result of the decision.', OUTCOME_NAMES);

const LimitUse = Type.Object(
  {
    limit: minorUnits('The limit. A count for DAILY_COUNT_EXCEEDED.'),
    used: minorUnits('The part that was used before.'),
    resets_at: nullableTime('When the limit starts again at 0; null for a limit per payment.'),
  },
  { description: 'The limit that declined the payment; null if none did.' },
);

/** Recorded: a test on the platform makes this payment and compares its decision. */
export const DECISION_EXAMPLE = {
  outcome: 'approved',
  code: null,
  message: null,
  limit: null,
  checks: [
    { name: 'from_account', passed: true, inputs: {} },
    { name: 'to_account', passed: true, inputs: {} },
    { name: 'from_state', passed: true, inputs: { state: 'ACTIVE' } },
    { name: 'to_state', passed: true, inputs: {} },
    { name: 'currency', passed: true, inputs: { payment: 'EUR', from_account: 'EUR' } },
    { name: 'limit.daily', passed: true, inputs: { wanted: '1250', used: '0', limit: '100000' } },
    { name: 'balance', passed: true, inputs: { amount: '1250', posted: '50000', held: '0' } },
  ],
  decided_at: '2026-01-31T12:00:00.004Z',
};

export const Decision = named(
  'Decision',
  Type.Object(
    {
      outcome: OUTCOMES.schema,
      code: nullableText('The decline code; null if approved.'),
      message: nullableText('The code in words; null if approved.'),
      limit: nullable(LimitUse),
      checks: Type.Array(
        Type.Object({
          name: Type.String({ examples: ['balance'] }),
          passed: Type.Boolean(),
          inputs: texts('The values that the check used: those of the payer, never of the receiver.'),
        }),
        { description: 'Every check that was made, in order.' },
      ),
      decided_at: time('When the decision was made.'),
    },
    { description: 'The decision and its reasons.', examples: [DECISION_EXAMPLE] },
  ),
);

export const decisionJson = (decision: DecisionMessage): Static<typeof Decision> =>
  sharedDecisionJson(decision);
