/** Audit records of what operators did with the money of others. They are derived from payments and operations. Pure. */
import type { RequestedKind } from './operation.ts';
import type { PaymentKind } from './order.ts';
import type { PaymentState } from './payment.ts';

export interface AuditRecord {
  /** The id of the payment or of the operation. */
  readonly id: string;
  readonly actorId: string;
  /** The API client that acted for the actor. */
  readonly clientId: string | undefined;
  readonly action: AuditAction;
  readonly outcome: 'PENDING' | 'DONE' | 'DECLINED';
  /** A decline code. Present if DECLINED. */
  readonly failureCode: string | undefined;
  readonly paymentId: string;
  /** The account whose money it was, and its owner. The owner is undefined while it is not known. */
  readonly accountId: string;
  readonly ownerId: string | undefined;
  /** 0 for a cancel. */
  readonly amountMinor: bigint;
  readonly currency: string;
  /** The actor's own idempotency key. */
  readonly requestId: string;
  readonly traceparent: string;
  readonly createdAt: Date;
}

export type AuditAction =
  | 'payment.created'
  | 'deposit.created'
  | 'withdrawal.created'
  | 'payment.captured'
  | 'payment.cancelled'
  | 'payment.refunded';

/** The audit action of a new payment of each kind. */
export const CREATED: Record<PaymentKind, AuditAction> = {
  PAYMENT: 'payment.created',
  DEPOSIT: 'deposit.created',
  WITHDRAWAL: 'withdrawal.created',
};

/** The audit action of each operation. */
export const TAKEN: Record<RequestedKind, AuditAction> = {
  CAPTURE: 'payment.captured',
  CANCEL: 'payment.cancelled',
  REFUND: 'payment.refunded',
};

export interface Sides {
  readonly kind: PaymentKind;
  readonly from: Side;
  readonly to: Side;
}

export interface Side {
  readonly accountId: string;
  readonly ownerId: string | undefined;
}

/** Returns the side whose money the action concerns. A deposit and a withdrawal have only one account; the other side is external. */
export function concernedSide({ kind, from, to }: Sides, action: AuditAction): Side {
  if (kind === 'DEPOSIT') return to;
  if (kind === 'WITHDRAWAL') return from;
  return action === 'payment.refunded' ? to : from;
}

export function outcomeOf(state: PaymentState): AuditRecord['outcome'] {
  if (state === 'INITIATED') return 'PENDING';
  return state === 'FAILED' ? 'DECLINED' : 'DONE';
}
