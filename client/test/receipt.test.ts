import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Receipt, verifyReceipt } from '../src/index.ts';

const hash = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const leafOf = (bytes: Buffer) => hash(Buffer.from([0]), bytes);
const nodeOf = (left: Buffer, right: Buffer) => hash(Buffer.from([1]), left, right);

/** RFC 6962, 2.1: the left half is the largest power of two that is smaller than the whole. */
const split = (size: number) => 2 ** Math.floor(Math.log2(size - 1));

function rootOf(items: Buffer[]): Buffer {
  if (items.length === 1) return leafOf(items[0] as Buffer);
  const at = split(items.length);
  return nodeOf(rootOf(items.slice(0, at)), rootOf(items.slice(at)));
}

/** RFC 6962, 2.1.1. */
function pathOf(position: number, items: Buffer[]): Buffer[] {
  if (items.length === 1) return [];
  const at = split(items.length);
  return position < at
    ? [...pathOf(position, items.slice(0, at)), rootOf(items.slice(at))]
    : [...pathOf(position - at, items.slice(at)), rootOf(items.slice(0, at))];
}

function receiptOf(position: number, size: number): Receipt {
  const items = Array.from({ length: size }, (_, index) => Buffer.from(`transaction ${index}`));
  const path = pathOf(position, items).map((each) => each.toString('hex'));
  const canonical = (items[position] as Buffer).toString('hex');
  const head = { size, root_hash: rootOf(items).toString('hex') };
  return { head, transactions: [{ canonical, position, path }] } as unknown as Receipt;
}

const every = Array.from({ length: 20 }, (_, index) => index + 1).flatMap((size) =>
  Array.from({ length: size }, (_, position) => ({ position, size })),
);

describe('a receipt', () => {
  it('is verified at every place of trees of every shape', () => {
    for (const { position, size } of every) expect(verifyReceipt(receiptOf(position, size))).toBe(true);
  });

  it.each<[string, (receipt: Receipt) => void]>([
    ['of other bytes', ({ transactions: [first] }) => Object.assign(first as object, { canonical: '00' })],
    ['of another place', ({ transactions: [first] }) => Object.assign(first as object, { position: 3 })],
    [
      'of a place beyond the tree',
      ({ transactions: [first] }) => Object.assign(first as object, { position: 9 }),
    ],
    ['with another root', ({ head }) => Object.assign(head, { root_hash: 'ab'.repeat(32) })],
    ['of another size', ({ head }) => Object.assign(head, { size: 4 })],
    ['with a path cut short', ({ transactions: [first] }) => first?.path.pop()],
    ['with a path too long', ({ transactions: [first] }) => first?.path.push('ab'.repeat(32))],
    ['of nothing', ({ transactions }) => transactions.pop()],
  ])('%s is not', (_, change) => {
    const receipt = receiptOf(2, 9);
    change(receipt);
    expect(verifyReceipt(receipt)).toBe(false);
  });
});
