/** Translates a refund to the message of the contract, for responses and stored responses. */
import { Refund, RefundState } from '@payflowx/proto/payment';
import type { Operation } from '../domain/operation.ts';

const STATE_CODES = {
  PENDING: RefundState.PENDING,
  COMPLETED: RefundState.COMPLETED,
  DECLINED: RefundState.FAILED,
} as const satisfies Record<Operation['state'], RefundState>;

/** `currency` is the currency of the payment. */
export function toRefundMessage(operation: Operation, currency: string): Refund {
  const { id, paymentId, state, amountMinor, reason, failure, origin, createdAt, updatedAt } = operation;
  return {
    id,
    paymentId,
    state: STATE_CODES[state],
    amountMinor,
    currency,
    reason,
    failure,
    createdAt,
    updatedAt,
    clientId: origin.clientId ?? '',
  };
}

export function encodeRefund(operation: Operation, currency: string): Uint8Array {
  return Refund.encode(toRefundMessage(operation, currency)).finish();
}
