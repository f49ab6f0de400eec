/** Counts the outcomes of payments and operations. Each is counted once, by the instance that stored it. */
import { counter } from '@payflowx/chassis';
import type { Operation } from '../domain/operation.ts';
import type { Payment } from '../domain/payment.ts';

const payments = counter('payflowx.payments', {
  description: 'Payments with an outcome, by kind, state, and the code of a decline',
});
const operations = counter('payflowx.payment_operations', {
  description: 'Captures, cancels, expiries and refunds with an outcome',
});

export function countPayments(settled: Iterable<Payment>): void {
  for (const { kind, state, failure } of settled)
    payments.add(1, { kind, state, decline_code: failure?.code ?? '' });
}

export function countOperations(settled: Iterable<Operation>): void {
  for (const { kind, state, failure } of settled)
    operations.add(1, { kind, state, decline_code: failure?.code ?? '' });
}
