/** What makes two requests with one idempotency key the same request. */
import { hash } from 'node:crypto';
import type { Order } from '../domain/order.ts';

export type Operation = 'CreatePayment' | 'CreateDeposit' | 'CreateWithdrawal';

/** SHA-256 over the operation and every field that was asked for. Each part carries its length, so that none can run into the next. */
export function fingerprintOf(operation: Operation, order: Order): Buffer {
  const { metadata } = order;
  const keys = Object.keys(metadata).sort();
  const parts = [
    operation,
    order.kind,
    order.fromAccount,
    order.toAccount,
    order.amountMinor.toString(),
    order.currency,
    order.captureMode,
    order.description,
    order.reference,
    ...keys.flatMap((key) => [key, metadata[key] ?? '']),
  ];
  return hash('sha256', parts.map((part) => `${part.length}:${part}`).join(), 'buffer');
}
