import { describe, expect, it } from 'vitest';
import { changedTerms, type Rule, type RuleChange, sameTerms } from './rule.ts';

const rule: Rule = {
  id: 'rule_1',
  version: 2n,
  name: 'large',
  expression: 'payment.amount > 5',
  action: 'DECLINE',
  message: 'Too much.',
  enabled: true,
  origin: {
    callerId: 'usr_op',
    clientId: undefined,
    traceId: '',
    requestId: '',
  } as unknown as Rule['origin'],
  createdAt: new Date(0),
};
const TERMS = { expression: rule.expression, action: rule.action, message: rule.message, enabled: true };
const KEPT: RuleChange = { expression: undefined, action: undefined, message: undefined, enabled: undefined };

const CHANGES: Partial<RuleChange>[] = [
  { expression: 'false' },
  { action: 'ALLOW' },
  { action: 'SHADOW' },
  { message: '' },
  { enabled: false },
];

describe('the change of a rule', () => {
  it.each(CHANGES)('%o changes one setting and keeps the others', (change) => {
    expect(changedTerms(rule, { ...KEPT, ...change }, 2n)).toEqual({ ...TERMS, ...change });
    expect(sameTerms({ ...TERMS, ...(change as object) }, rule)).toBe(false);
  });

  it('to the same settings makes no new version', () => {
    expect(changedTerms(rule, KEPT, 2n)).toBeUndefined();
    expect(changedTerms(rule, TERMS, 2n)).toBeUndefined();
  });

  it('of another version is refused, and the refusal contains the version', () => {
    for (const expected of [1n, 3n])
      expect(() => changedTerms(rule, KEPT, expected)).toThrow(
        expect.objectContaining({
          reason: 'VERSION_MISMATCH',
          message: 'The rule was changed in the meantime.',
          metadata: { version: '2' },
        }),
      );
  });
});
