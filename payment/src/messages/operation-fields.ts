/** The fields that a capture and a refund have in common in the contract. */
import type { Operation } from '../domain/operation.ts';
import type { Payment } from '../domain/payment.ts';
import { toTotals } from './payment-message.ts';

export function operationFields(
  { id, paymentId, failure, origin, notes, createdAt, updatedAt }: Operation,
  payment: Payment,
) {
  return {
    id,
    paymentId,
    currency: payment.currency,
    failure,
    createdAt,
    updatedAt,
    clientId: origin.clientId ?? '',
    ...notes,
    payment: toTotals(payment),
  };
}
