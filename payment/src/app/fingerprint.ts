/** The request fingerprint. Two requests with one idempotency key must have equal fingerprints. */
import { hash } from 'node:crypto';
import type { Notes, Terms } from '../domain/operation.ts';
import type { Order } from '../domain/order.ts';

export type Creation = 'CreatePayment' | 'CreateDeposit' | 'CreateWithdrawal';
/** The RPCs that take an idempotency key. A key belongs to the RPC that it was first used with. */
export type Rpc = Creation | 'CapturePayment' | 'CancelPayment' | 'CreateRefund';

/**
 * Returns SHA-256 over the RPC and every field of the request. Each part is prefixed with its length, so that two parts cannot be
 * confused with another split of the same text.
 */
export function fingerprintOf(operation: Creation, order: Order): Buffer {
  const parts = [
    operation,
    order.kind,
    order.fromAccount,
    order.toAccount,
    order.amountMinor.toString(),
    order.currency,
    captureOf(order),
    order.description,
    ...partsOf(order),
  ];
  return digest(parts);
}

/** The hold time, the side and the mandate are appended only if they are set. The fingerprint of a request without them is that of before. */
function captureOf({ captureMode, holdSeconds, captureBy, mandateId }: Order): string {
  const hold = holdSeconds === 0 ? '' : ` ${holdSeconds}`;
  const by = captureBy === 'PAYER' ? '' : ` ${captureBy}`;
  const mandate = mandateId === undefined ? '' : ` ${mandateId}`;
  return `${captureMode}${hold}${by}${mandate}`;
}

/** Returns the fingerprint of a request for a step of a payment. */
export function fingerprintOfStep(rpc: Rpc, paymentId: string, terms: Terms): Buffer {
  const { amountMinor, final, reason, notes } = terms;
  const parts = [rpc, paymentId, amountMinor?.toString() ?? '', String(final), reason];
  const hasNotes = notes.reference !== '' || Object.keys(notes.metadata).length > 0;
  // The fingerprint of a request without notes is that of before.
  return digest(hasNotes ? [...parts, ...partsOf(notes)] : parts);
}

function partsOf({ reference, metadata }: Notes): string[] {
  const keys = Object.keys(metadata).sort();
  return [reference, ...keys.flatMap((key) => [key, metadata[key] ?? ''])];
}

function digest(parts: readonly string[]): Buffer {
  return hash('sha256', parts.map((part) => `${part.length}:${part}`).join(), 'buffer');
}
