/** What of a decision its reader may see. */
import type { Decision } from '@payflowx/proto/authorization';
import type { Payment as PaymentMessage } from '@payflowx/proto/payment';
import { seesAll } from '../domain/access.ts';
import type { Caller } from '../domain/payment.ts';

/** Who owns the account on the other side is not for a customer to know: of both owners it sees itself. */
export function decisionFor(caller: Caller, decision: Decision): Decision {
  if (seesAll(caller)) return decision;
  const ifOwn = (ownerId: string) => (ownerId === caller.id ? ownerId : '');
  return {
    ...decision,
    fromOwnerId: ifOwn(decision.fromOwnerId),
    toOwnerId: ifOwn(decision.toOwnerId),
  };
}

/** The payment with what of its decision the caller may see. */
export function messageFor(caller: Caller, payment: PaymentMessage): PaymentMessage {
  return { ...payment, decision: payment.decision && decisionFor(caller, payment.decision) };
}
