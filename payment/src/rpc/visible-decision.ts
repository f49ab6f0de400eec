/** Removes the parts of a decision that its reader may not see. */
import type { Caller } from '@payflowx/chassis';
import type { Decision } from '@payflowx/proto/authorization';
import { DECLINES, type DeclineCode } from '@payflowx/proto/declines';
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

/** The names of checks of a mandate begin with this. */
const MANDATE_CHECK = 'mandate';

/**
 * A payee that collects by a mandate sees the outcome, and the checks and the limit of the mandate. All else of the decision is about the
 * payer: its balance, its own limits, and the text of a rule.
 */
export function payeesPart(caller: Caller, decision: Decision): Decision {
  const isAboutMandate = decision.code.startsWith('MANDATE_');
  return {
    ...decisionFor(caller, decision),
    message: isAboutMandate || decision.code === '' ? decision.message : defaultMessage(decision.code),
    limit: isAboutMandate ? decision.limit : undefined,
    checks: decision.checks.filter(({ name }) => name.startsWith(MANDATE_CHECK)),
  };
}

function defaultMessage(code: string): string {
  return Object.hasOwn(DECLINES, code) ? DECLINES[code as DeclineCode].message : '';
}

/** Returns the payment with the parts of its decision that the caller may see. */
export function messageFor(caller: Caller, payment: PaymentMessage): PaymentMessage {
  const { decision, mandateId } = payment;
  if (!decision) return payment;
  const isPayees = mandateId !== '' && !seesAll(caller) && decision.fromOwnerId !== caller.id;
  return { ...payment, decision: isPayees ? payeesPart(caller, decision) : decisionFor(caller, decision) };
}
