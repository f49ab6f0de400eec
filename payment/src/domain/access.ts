/** Decides which callers may see a payment, how much of it, and who may take steps on it. */
import type { Caller } from '@payflowx/chassis';
import { DECLINES, type DeclineCode } from '@payflowx/proto/declines';
import { PaymentError } from './errors.ts';
import { NO_NOTES, type Operation, type RequestedKind } from './operation.ts';
import type { ListedKind } from './operation-filter.ts';
import type { CaptureBy } from './order.ts';
import type { Payment } from './payment.ts';
import { type ChangedNotes, notesOf, type Side } from './payment-notes.ts';

/** True if the caller sees the payments of all users. */
export function seesAll(caller: Caller): boolean {
  return caller.roles.some((role) => role === 'operator' || role === 'auditor');
}

/** True if the caller may read this payment: it sent or received it, or sees all. */
export function maySee(caller: Caller, payment: Payment): boolean {
  return seesAll(caller) || isPayer(caller, payment) || isReceiver(caller, payment);
}

/**
 * Returns the payment as this caller may see it. A receiver who is not the payer does not see the decision, which contains the
 * payer's balance and limits. Each side sees only its own reference and metadata. `changed` are the notes that the sides have changed.
 */
export function viewFor(caller: Caller, payment: Payment, changed: ChangedNotes = {}): Payment {
  const seen = isOwnOrSeesAll(caller, payment.origin.caller.id) ? payment : withoutClient(payment);
  if (!seesPayersSide(caller, payment))
    return { ...seen, ...payeesOutcome(payment), ...notesOf(payment, changed, 'PAYEE') };
  const isCollected = payment.mandateId !== undefined;
  if (!isCollected && changed.PAYER === undefined && changed.PAYEE === undefined) return seen;
  const payers = { ...seen, ...notesOf(payment, changed, 'PAYER') };
  if (!seesAll(caller)) return payers;
  return { ...payers, payeeNotes: isCollected ? notesOf(payment, changed, 'PAYEE') : changed.PAYEE };
}

/**
 * A payee that collects by a mandate sees the code of a decline, and of the decision what is about the mandate: visible-decision.ts leaves
 * out the rest. The text of a rule is for the payer, so the payee gets that of the code.
 */
function payeesOutcome({ mandateId, decision, failure }: Payment): Partial<Payment> {
  if (mandateId === undefined) return { decision: undefined };
  const isKnown = failure !== undefined && Object.hasOwn(DECLINES, failure.code);
  if (!isKnown || failure.code.startsWith('MANDATE_')) return { decision };
  const { message } = DECLINES[failure.code as DeclineCode];
  return { decision, failure: { ...failure, message } };
}

/**
 * True if the caller may see the API client of a request by the user `requestedBy`. Users see only the clients that act for them.
 */
export function isOwnOrSeesAll(caller: Caller, requestedBy: string | undefined): boolean {
  return seesAll(caller) || caller.id === requestedBy;
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

/** True if the caller is on the side that captures or refunds this payment, or sees all. */
export function seesActingSide(caller: Caller, payment: Payment, kind: ListedKind): boolean {
  const isPayees = kind === 'REFUND' || payment.captureBy === 'PAYEE';
  return isPayees ? seesReceiversSide(caller, payment) : seesPayersSide(caller, payment);
}

/** Of a payment that it may see, the other side sees only captures and refunds that moved money. */
export function maySeeOperation(caller: Caller, payment: Payment, operation: Operation): boolean {
  const { kind, state } = operation;
  if (kind !== 'CAPTURE' && kind !== 'REFUND') return false;
  return state === 'COMPLETED' || seesActingSide(caller, payment, kind);
}

/** Returns the operation as this caller may see it: notes and the API client are for their requester and for callers that see all. */
export function operationViewFor(caller: Caller, operation: Operation): Operation {
  const { origin } = operation;
  if (isOwnOrSeesAll(caller, origin.callerId)) return operation;
  return { ...operation, notes: NO_NOTES, origin: { ...origin, clientId: undefined } };
}

/** True if the caller may see the receiver's balance, which refunds are paid from, and refunds that are not completed. */
export function seesReceiversSide(caller: Caller, payment: Payment): boolean {
  return seesAll(caller) || isReceiver(caller, payment);
}

/**
 * Throws PAYMENT_NOT_FOUND for a caller who may not see the payment, and ACTION_NOT_ALLOWED, with the allowed side, for one on the
 * wrong side of it. `captureBy` names the side that captures and cancels. The receiver refunds, and an operator may do all.
 * Deposits and withdrawals use an external account, so only an operator may refund them.
 *
 * Throws OWN_ACCOUNT for an operator who owns one of the two accounts, unless every owner may do this. Another operator must do it.
 */
export function requireAction(
  caller: Caller,
  payment: Payment | undefined,
  kind: RequestedKind,
): asserts payment is Payment {
  if (!payment || !maySee(caller, payment)) throw notFound();
  const side = sideOf(kind, payment);
  if (side === 'PAYER' ? isPayer(caller, payment) : side === 'PAYEE' && isReceiver(caller, payment)) return;
  if (!caller.roles.includes('operator')) throw actionNotAllowed(side);
  if (isPayer(caller, payment) || isReceiver(caller, payment)) throw ownAccount();
}

/**
 * Returns the side whose notes the caller may change: that of its own account, also for an operator. If both accounts are its own, it is
 * the payer. Throws PAYMENT_NOT_FOUND, ACTION_NOT_ALLOWED.
 */
export function sideOfNotes(caller: Caller, payment: Payment): Side {
  if (!maySee(caller, payment)) throw notFound();
  if (isPayer(caller, payment)) return 'PAYER';
  if (isReceiver(caller, payment)) return 'PAYEE';
  throw new PaymentError('ACTION_NOT_ALLOWED', 'Only the payer and the payee may change their notes.');
}

/** Returns the side that may take this step. Operators may take all. */
function sideOf(kind: RequestedKind, payment: Payment): CaptureBy | 'OPERATOR' {
  if (kind !== 'REFUND') return payment.captureBy;
  return payment.kind === 'PAYMENT' ? 'PAYEE' : 'OPERATOR';
}

const NOT_ALLOWED = {
  PAYER: 'Only the payer of the payment may do this.',
  PAYEE: 'Only the payee of the payment may do this.',
  OPERATOR: 'Only an operator may do this.',
} as const;

function actionNotAllowed(side: keyof typeof NOT_ALLOWED): PaymentError {
  const metadata = { allowed: side.toLowerCase() };
  return new PaymentError('ACTION_NOT_ALLOWED', NOT_ALLOWED[side], { metadata });
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

/** Also thrown for those that the caller may not see. */
export function operationNotFound(kind: ListedKind): PaymentError {
  return kind === 'CAPTURE'
    ? new PaymentError('CAPTURE_NOT_FOUND', 'There is no such capture.')
    : new PaymentError('REFUND_NOT_FOUND', 'There is no such refund.');
}

function isPayer(caller: Caller, payment: Payment): boolean {
  return caller.id === payment.fromOwnerId;
}

function isReceiver(caller: Caller, payment: Payment): boolean {
  return caller.id === payment.toOwnerId;
}
