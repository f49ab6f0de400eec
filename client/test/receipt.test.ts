import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Receipt, ReceiptRefused, verifyReceipt } from '../src/index.ts';

const hash = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
const nodeOf = (left: Buffer, right: Buffer) => hash(Buffer.from([1]), left, right);

/** RFC 6962, 2.1: the left part is the largest power of two that is smaller than the whole. */
const split = (size: number) => 2 ** Math.floor(Math.log2(size - 1));

function rootOf(items: Buffer[]): Buffer {
  if (items.length === 1) return hash(Buffer.from([0]), items[0] as Buffer);
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

const number = (value: number, bytes: number) =>
  Buffer.from(value.toString(16).padStart(bytes * 2, '0'), 'hex');
const text = (value: string) => Buffer.concat([number(Buffer.byteLength(value), 4), Buffer.from(value)]);

/** A transaction in the layout of ledger/README.md. */
function sealed(index: number): Buffer {
  const head = ['payflowx.ledger.transaction.v1', `txn_${index}`, 'payment.completed', `pay_${index}`].map(
    text,
  );
  const posting = [
    number(0, 4),
    text('transfer'),
    text('acct_a'),
    text('acct_é'),
    number(1_250, 8),
    text('EUR'),
  ];
  return Buffer.concat([...head, number(1_767_225_600_001, 8), number(1, 4), ...posting]);
}

function receiptOf(position: number, size: number): Receipt {
  const items = Array.from({ length: size }, (_, index) => sealed(index));
  const previous = Buffer.alloc(32, 7);
  const root = rootOf(items);
  const layout = Buffer.from('payflowx.ledger.head.v1');
  const headHash = hash(layout, Buffer.from([32]), previous, number(size, 8), root);
  return {
    payment_id: `pay_${position}`,
    head: {
      size,
      root_hash: root.toString('hex'),
      head_hash: headHash.toString('hex'),
      previous_head_hash: previous.toString('hex'),
      sealed_at: '2026-01-01T00:00:01.000Z',
    },
    transactions: [
      {
        canonical: sealed(position).toString('hex'),
        position,
        path: pathOf(position, items).map((each) => each.toString('hex')),
        transaction: {} as Receipt['transactions'][0]['transaction'],
      },
    ],
  };
}

describe('a receipt', () => {
  it('is verified at every position of trees of every shape', () => {
    for (let size = 1; size <= 20; size += 1) {
      for (let position = 0; position < size; position += 1) {
        expect(verifyReceipt(receiptOf(position, size))).toHaveLength(1);
      }
    }
  });

  it('returns the sealed content, whatever the readable fields say', () => {
    const [{ postings, ...transaction } = { postings: [] }] = verifyReceipt(receiptOf(2, 9));
    const createdAt = new Date('2026-01-01T00:00:00.001Z');
    expect(transaction).toEqual({
      id: 'txn_2',
      eventType: 'payment.completed',
      paymentId: 'pay_2',
      createdAt,
    });
    const posting = { kind: 'transfer', debitAccount: 'acct_a', creditAccount: 'acct_é' };
    expect(postings).toEqual([{ ...posting, amount: 1_250, currency: 'EUR' }]);
  });

  it('is verified against a kept head', () => {
    const receipt = receiptOf(2, 9);
    expect(verifyReceipt(receipt, { head_hash: receipt.head.head_hash })).toHaveLength(1);
    expect(() => verifyReceipt(receipt, receiptOf(2, 10).head)).toThrow(ReceiptRefused);
  });

  type Changes = [string, (receipt: Receipt, first: Receipt['transactions'][0]) => unknown];
  it.each<Changes>([
    ['of other bytes', (_, first) => Object.assign(first, { canonical: sealed(3).toString('hex') })],
    ['of another place', (_, first) => Object.assign(first, { position: 3 })],
    ['of a place beyond the tree', (_, first) => Object.assign(first, { position: 9 })],
    ['of another payment', (receipt) => Object.assign(receipt, { payment_id: 'pay_3' })],
    ['with another root', ({ head }) => Object.assign(head, { root_hash: 'ab'.repeat(32) })],
    ['of another size', ({ head }) => Object.assign(head, { size: 10 })],
    ['with another head before it', ({ head }) => Object.assign(head, { previous_head_hash: '' })],
    ['with a path cut short', (_, first) => first.path.pop()],
    ['with a path too long', (_, first) => first.path.push('ab'.repeat(32))],
    ['with a transaction twice', ({ transactions }, first) => transactions.push(first)],
    ['of nothing', ({ transactions }) => transactions.pop()],
  ])('%s is refused', (_, change) => {
    const receipt = receiptOf(2, 9);
    change(receipt, receipt.transactions[0] as Receipt['transactions'][0]);
    expect(() => verifyReceipt(receipt)).toThrow(ReceiptRefused);
  });
});
