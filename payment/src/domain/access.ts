/** Decides which callers may see a payment, how much of it, and who may take steps on it. */
import { PaymentError } from './errors.ts';
import type { RequestedKind } from './operation.ts';
import type { Caller, Payment } from './payment.ts';

/** True if the caller sees the payments of all users. */
export function seesAll(caller: Caller): boolean {
  return caller.roles.some((role) => role === 'operator' || role === 'auditor' || role === 'service');
}

/** True if the caller may read this payment: it sent or received it, or sees all. */
export function maySee(caller: Caller, payment: Payment): boolean {
  return seesAll(caller) || isPayer(caller, payment) || isReceiver(caller, payment);
}

/**
 * Returns the payment as this caller may see it. A receiver who is not the payer does not see the decision, which contains the
 * payer's balance and limits. It does not see reference and metadata either, which are the payer's own notes.
 */
export function viewFor(caller: Caller, payment: Payment): Payment {
  const seen = isOwnOrSeesAll(caller, payment.origin.caller.id) ? payment : withoutClient(payment);
  if (seesPayersSide(caller, payment)) return seen;
  return { ...seen, decision: undefined, reference: '', metadata: {} };
}

/**
 * True if the caller may see the API client of a request by `requesterId`. Users see only the clients that act for them.
 */
export function isOwnOrSeesAll(caller: Caller, requesterId: string | undefined): boolean {
  return seesAll(caller) || caller.id === requesterId;
}

/** Returns the payment without the API client that requested it. */
export function withoutClient(payment: Payment): Payment {
  const { origin } = payment;
  if (origin.caller.clientId === undefined) return payment;
  return { ...payment, origin: { ...origin, caller: { ...origin.caller, clientId: undefined } } };
}

/** True if the caller may see the payer's balance and limits. */
export function seesPayersSide(caller: Caller, payment: Payment): boolean {
  return seesAll(caller) || isPayer(caller, payment);
}

/** True if the caller may see the receiver's balance, which refunds are paid from, and refunds that are not completed. */
export function seesReceiversSide(caller: Caller, payment: Payment): boolean {
  return seesAll(caller) || isReceiver(caller, payment);
}

/**
 * Throws PAYMENT_NOT_FOUND for a caller who may not see the payment, and ACTION_NOT_ALLOWED for one on the wrong side of it. The
 * payer captures and cancels, the receiver refunds, and an operator may do all. Deposits and withdrawals use an external account,
 * so only an operator may refund them.
 *
 * Throws OWN_ACCOUNT for an operator who owns one of the two accounts, unless every owner may do this. Another operator must do it.
 */
export function requireAction(
  caller: Caller,
  payment: Payment | undefined,
  kind: RequestedKind,
): asserts payment is Payment {
  if (!payment || !maySee(caller, payment)) throw notFound();
  const isAllowed =
    kind === 'REFUND' ? payment.kind === 'PAYMENT' && isReceiver(caller, payment) : isPayer(caller, payment);
  if (isAllowed) return;
  if (!caller.roles.includes('operator'))
    throw new PaymentError('ACTION_NOT_ALLOWED', 'Only the other side of the payment may do this.');
  if (isPayer(caller, payment) || isReceiver(caller, payment)) throw ownAccount();
}

/** Separation of duties: operators do not use their rights for accounts of their own. */
export function ownAccount(): PaymentError {
  return new PaymentError(
    'OWN_ACCOUNT',
    'An operator may not do this with an account of its own. Another operator must do it.',
  );
}

/** Also thrown for a payment of other users, so that a caller cannot find out that it exists. */
export function notFound(): PaymentError {
  return new PaymentError('PAYMENT_NOT_FOUND', 'There is no such payment.');
}

function isPayer(caller: Caller, payment: Payment): boolean {
  return caller.id === payment.fromOwnerId;
}

function isReceiver(caller: Caller, payment: Payment): boolean {
  return caller.id === payment.toOwnerId;
}
