/** Reads fields of untrusted JSON. Each function throws ReceiptRefused with the name of the field. */
import { HASH_BYTES } from './hashes.ts';
import { ReceiptRefused } from './refusal.ts';

export function objectAt(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new ReceiptRefused(`${where} is missing or not an object.`);
}

export function listAt(value: unknown, where: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ReceiptRefused(`${where} is missing or not a list.`);
}

export function textAt(value: unknown, where: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new ReceiptRefused(`${where} is missing, empty or not a text.`);
}

export function wholeNumberAt(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ReceiptRefused(`${where} is missing or not a whole number.`);
}

export function hexAt(value: unknown, where: string): Buffer {
  if (typeof value === 'string' && /^([0-9a-f]{2})*$/.test(value)) return Buffer.from(value, 'hex');
  throw new ReceiptRefused(`${where} is missing or not in lower-case hex.`);
}

export function hashAt(value: unknown, where: string): Buffer {
  const bytes = hexAt(value, where);
  if (bytes.length === HASH_BYTES) return bytes;
  throw new ReceiptRefused(`${where} is not a SHA-256.`);
}
