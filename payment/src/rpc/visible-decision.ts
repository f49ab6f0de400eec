/** Removes the parts of a decision that its reader may not see. */
import type { Caller } from '@payflowx/chassis';
import type { Decision } from '@payflowx/proto/authorization';
import type { Payment as PaymentMessage } from '@payflowx/proto/payment';
import { seesAll } from '../domain/access.ts';

/** The check name that authorization uses for rules. */
const RULE_CHECK = 'rule';

/**
 * A customer sees the owner of its own account only, and no checks of rules. Names, versions and findings of rules would show it
 * the rule book and the data that rules use. If a rule declined, its code and message are in the decision itself.
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

/** Returns the payment with the parts of its decision that the caller may see. */
export function messageFor(caller: Caller, payment: PaymentMessage): PaymentMessage {
  return { ...payment, decision: payment.decision && decisionFor(caller, payment.decision) };
}
