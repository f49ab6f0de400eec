/** What makes two requests with one idempotency key the same request. */
import { hash } from 'node:crypto';
import type { Terms } from '../domain/operation.ts';
import type { Order } from '../domain/order.ts';

export type Creation = 'CreatePayment' | 'CreateDeposit' | 'CreateWithdrawal';
/** What a key can be used for: the RPC that it came with. */
export type Rpc = Creation | 'CapturePayment' | 'CancelPayment' | 'CreateRefund';

/** SHA-256 over the operation and every field that was asked for. Each part carries its length, so that none can run into the next. */
export function fingerprintOf(operation: Creation, order: Order): Buffer {
  const { metadata } = order;
  const keys = Object.keys(metadata).sort();
  const parts = [
    operation,
    order.kind,
    order.fromAccount,
    order.toAccount,
    order.amountMinor.toString(),
    order.currency,
    // Beside the mode, so that a request without it has the fingerprint that it always had.
    order.holdSeconds === 0 ? order.captureMode : `${order.captureMode} ${order.holdSeconds}`,
    order.description,
    order.reference,
    ...keys.flatMap((key) => [key, metadata[key] ?? '']),
  ];
  return digest(parts);
}

/** The same for a step of a payment. */
export function fingerprintOfStep(rpc: Rpc, paymentId: string, terms: Terms): Buffer {
  const { amountMinor, final, reason } = terms;
  return digest([rpc, paymentId, amountMinor?.toString() ?? '', String(final), reason]);
}

function digest(parts: readonly string[]): Buffer {
  return hash('sha256', parts.map((part) => `${part.length}:${part}`).join(), 'buffer');
}
