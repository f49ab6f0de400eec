/** Who may see which payment, how much of it, and who may do something with it. */
import { PaymentError } from './errors.ts';
import type { RequestedKind } from './operation.ts';
import type { Caller, Payment } from './payment.ts';

/** Whether the caller sees everybody's payments. */
export function seesAll(caller: Caller): boolean {
  return caller.roles.some((role) => role === 'operator' || role === 'auditor' || role === 'service');
}

/** Whether the caller may read this payment: it sent or received it, or sees all. */
export function maySee(caller: Caller, payment: Payment): boolean {
  return seesAll(caller) || isPayer(caller, payment) || isReceiver(caller, payment);
}

/**
 * The payment as this caller may see it. A receiver who isn't the payer gets it without the decision, which names the payer's balance
 * and limits, and without reference and metadata, which are the payer's own notes.
 */
export function viewFor(caller: Caller, payment: Payment): Payment {
  if (seesPayersSide(caller, payment)) return payment;
  return { ...payment, decision: undefined, reference: '', metadata: {} };
}

/** Whether the caller may know of the payer's balance and limits. */
export function seesPayersSide(caller: Caller, payment: Payment): boolean {
  return seesAll(caller) || isPayer(caller, payment);
}

/** Whether the caller may know of the receiver's balance, which refunds are paid from, and of attempts that came to nothing. */
export function seesReceiversSide(caller: Caller, payment: Payment): boolean {
  return seesAll(caller) || isReceiver(caller, payment);
}

/**
 * Throws PAYMENT_NOT_FOUND for a caller who may not even see the payment, ACTION_NOT_ALLOWED for one who may but is on the wrong
 * side of it: the payer captures and cancels, the receiver refunds, an operator may do all. Deposits and withdrawals cross the
 * platform's edge, and so would their refunds: those are an operator's alone.
 */
export function requireAction(
  caller: Caller,
  payment: Payment | undefined,
  kind: RequestedKind,
): asserts payment is Payment {
  if (!payment || !maySee(caller, payment)) throw notFound();
  if (caller.roles.includes('operator')) return;
  const isAllowed =
    kind === 'REFUND' ? payment.kind === 'PAYMENT' && isReceiver(caller, payment) : isPayer(caller, payment);
  if (!isAllowed)
    throw new PaymentError('ACTION_NOT_ALLOWED', 'This is for the other side of the payment to do.');
}

/** Also for somebody else's: that it exists is nobody's business. */
export function notFound(): PaymentError {
  return new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment.');
}

function isPayer(caller: Caller, payment: Payment): boolean {
  return caller.id === payment.fromOwnerId;
}

function isReceiver(caller: Caller, payment: Payment): boolean {
  return caller.id === payment.toOwnerId;
}
