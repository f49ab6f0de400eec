/** Who may see which payment, and how much of it. */
import type { Caller, Payment } from './payment.ts';

/** Whether the caller sees everybody's payments. */
export function seesAll(caller: Caller): boolean {
  return caller.roles.some((role) => role === 'operator' || role === 'auditor' || role === 'service');
}

/** Whether the caller may read this payment: it sent or received it, or sees all. */
export function maySee(caller: Caller, payment: Payment): boolean {
  return seesAll(caller) || caller.id === payment.fromOwnerId || caller.id === payment.toOwnerId;
}

/**
 * The payment as this caller may see it. A decision names the payer's balance and limits, so a receiver who isn't
 * the payer gets the payment without it.
 */
export function viewFor(caller: Caller, payment: Payment): Payment {
  if (seesAll(caller) || caller.id === payment.fromOwnerId) return payment;
  return { ...payment, decision: undefined };
}
