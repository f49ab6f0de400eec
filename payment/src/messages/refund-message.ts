/** Translates a refund to the message of the contract, for responses and stored responses. */
import { Refund, RefundState } from '@payflowx/proto/payment';
import type { Operation } from '../domain/operation.ts';
import type { Payment } from '../domain/payment.ts';
import { operationFields } from './operation-fields.ts';

export const REFUND_STATE_CODES = {
  PENDING: RefundState.PENDING,
  COMPLETED: RefundState.COMPLETED,
  DECLINED: RefundState.FAILED,
} as const satisfies Record<Operation['state'], RefundState>;

export function toRefundMessage(operation: Operation, payment: Payment): Refund {
  const { state, amountMinor, reason } = operation;
  return { ...operationFields(operation, payment), state: REFUND_STATE_CODES[state], amountMinor, reason };
}

export function encodeRefund(operation: Operation, payment: Payment): Uint8Array {
  return Refund.encode(toRefundMessage(operation, payment)).finish();
}
