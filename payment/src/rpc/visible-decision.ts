/** What of a decision its reader may see. */
import type { Decision } from '@payflowx/proto/authorization';
import type { Payment as PaymentMessage } from '@payflowx/proto/payment';
import { seesAll } from '../domain/access.ts';
import type { Caller } from '../domain/payment.ts';

/** The name that authorization gives to the check of a rule. */
const RULE_CHECK = 'rule';

/**
 * A customer sees of both owners only itself, and no check of a rule: names, versions and findings of rules would tell it the rule book, and what
 * a rule looks at. The code and message of the rule that declined are in the decision itself.
 */
export function decisionFor(caller: Caller, decision: Decision): Decision {
  if (seesAll(caller)) return decision;
  const ifOwn = (ownerId: string) => (ownerId === caller.id ? ownerId : '');
  return {
    ...decision,
    checks: decision.checks.filter(({ name }) => name !== RULE_CHECK),
    fromOwnerId: ifOwn(decision.fromOwnerId),
    toOwnerId: ifOwn(decision.toOwnerId),
  };
}

/** The payment with what of its decision the caller may see. */
export function messageFor(caller: Caller, payment: PaymentMessage): PaymentMessage {
  return { ...payment, decision: payment.decision && decisionFor(caller, payment.decision) };
}
