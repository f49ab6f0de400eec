/** The request fingerprint. Two requests with one idempotency key must have equal fingerprints. */
import { hash } from 'node:crypto';
import type { Terms } from '../domain/operation.ts';
import type { Order } from '../domain/order.ts';

export type Creation = 'CreatePayment' | 'CreateDeposit' | 'CreateWithdrawal';
/** The RPCs that take an idempotency key. A key belongs to the RPC that it was first used with. */
export type Rpc = Creation | 'CapturePayment' | 'CancelPayment' | 'CreateRefund';

/**
 * Returns SHA-256 over the RPC and every field of the request. Each part is prefixed with its length, so that two parts cannot be
 * confused with another split of the same text.
 */
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
    // The hold time is appended to the mode only if it is set, so that the fingerprint of a request without it stays the same as
    // before.
    order.holdSeconds === 0 ? order.captureMode : `${order.captureMode} ${order.holdSeconds}`,
    order.description,
    order.reference,
    ...keys.flatMap((key) => [key, metadata[key] ?? '']),
  ];
  return digest(parts);
}

/** Returns the fingerprint of a request for a step of a payment. */
export function fingerprintOfStep(rpc: Rpc, paymentId: string, terms: Terms): Buffer {
  const { amountMinor, final, reason } = terms;
  return digest([rpc, paymentId, amountMinor?.toString() ?? '', String(final), reason]);
}

function digest(parts: readonly string[]): Buffer {
  return hash('sha256', parts.map((part) => `${part.length}:${part}`).join(), 'buffer');
}
