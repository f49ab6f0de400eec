/** A small sealed journal, written from the layouts in ledger/README.md, without the code of the ledger or of this package. */
import { createHash } from 'node:crypto';

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
const text = (value: string | Buffer) =>
  Buffer.concat([number(Buffer.byteLength(value), 4), Buffer.from(value)]);

export interface Written {
  id: string;
  paymentId: string;
  amount: number;
  eventType?: string | Buffer;
  kind?: string;
  time?: bigint;
  postingCount?: number;
}

export function bytesOf({ id, paymentId, amount, eventType, kind, time, postingCount }: Written): Buffer {
  const timeBytes = Buffer.alloc(8);
  timeBytes.writeBigInt64BE(time ?? 1_767_225_600_001n);
  return Buffer.concat([
    text('payflowx.ledger.transaction.v1'),
    text(id),
    text(eventType ?? 'payment.completed'),
    text(paymentId),
    timeBytes,
    number(postingCount ?? 1, 4),
    number(0, 4),
    text(kind ?? 'transfer'),
    text('acct_a'),
    text('acct_é'),
    number(amount, 8),
    text('EUR'),
  ]);
}

function readableOf({ id, paymentId, amount }: Written) {
  const created_at = '2026-01-01T00:00:00.001Z';
  const entry = (direction: string, account_id: string) => ({
    id: `${id}:0:${direction}`,
    transaction_id: id,
    account_id,
    direction,
    amount,
    currency: 'EUR',
    layer: 'posted',
    payment_id: paymentId,
    created_at,
  });
  return {
    id,
    event_id: id.replace('txn_', 'evt_'),
    event_type: 'payment.completed',
    payment_id: paymentId,
    created_at,
    entries: [entry('debit', 'acct_a'), entry('credit', 'acct_é')],
  };
}

/** A receipt of a payment with transactions at these positions, as the API returns it. */
export function receiptOf(journal: readonly Written[], positions: readonly number[]) {
  const items = journal.map(bytesOf);
  const previous = Buffer.alloc(32, 7);
  const root = rootOf(items);
  const size = items.length;
  const headHash = hash(
    Buffer.from('payflowx.ledger.head.v1'),
    Buffer.from([32]),
    previous,
    number(size, 8),
    root,
  );
  return {
    payment_id: journal[positions[0] ?? 0]?.paymentId ?? '',
    head: {
      size,
      root_hash: root.toString('hex'),
      head_hash: headHash.toString('hex'),
      previous_head_hash: previous.toString('hex'),
      sealed_at: '2026-01-01T00:00:01.000Z',
    },
    transactions: positions.map((position) => ({
      transaction: readableOf(journal[position] as Written),
      canonical: (items[position] as Buffer).toString('hex'),
      position,
      path: pathOf(position, items).map((each) => each.toString('hex')),
    })),
  };
}

export type ReceiptJson = ReturnType<typeof receiptOf>;

/** A journal in which each payment has one transaction. */
export function journalOf(size: number): Written[] {
  return Array.from({ length: size }, (_, index) => ({
    id: `txn_${index}`,
    paymentId: `pay_${index}`,
    amount: 1_250,
  }));
}
