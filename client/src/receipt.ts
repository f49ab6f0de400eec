/**
 * Verifies a receipt with SHA-256 only: a head of the sealed journal commits to the movements of a payment (Merkle tree of RFC
 * 6962). The result is read from the sealed bytes; the readable fields of the receipt prove nothing. The layouts are in
 * ledger/README.md.
 */
import { createHash } from 'node:crypto';
import type { components } from '../gen/openapi.ts';

export type Receipt = components['schemas']['Receipt'];

/** Thrown for an invalid receipt, with the reason. */
export class ReceiptRefused extends Error {
  override readonly name = 'ReceiptRefused';
}

/** A transaction of the journal, as sealed. */
export interface SealedTransaction {
  id: string;
  eventType: string;
  paymentId: string;
  createdAt: Date;
  postings: { kind: string; debitAccount: string; creditAccount: string; amount: number; currency: string }[];
}

/**
 * Verifies a receipt and returns its sealed transactions. `head` is one that you kept or that was published. The default is the
 * receipt's own head, which proves only that the receipt is consistent. Throws ReceiptRefused.
 */
export function verifyReceipt(
  { payment_id, head, transactions }: Receipt,
  { head_hash }: { head_hash: string } = head,
): SealedTransaction[] {
  if (head.head_hash !== head_hash) throw new ReceiptRefused('It was made against another head.');
  if (headHash(head) !== head_hash)
    throw new ReceiptRefused('Its head is not what the hash of the head says.');
  if (transactions.length === 0) throw new ReceiptRefused('It has no transactions.');
  const sealed = transactions.map(({ canonical, position, path }) => {
    const bytes = Buffer.from(canonical, 'hex');
    const root = rootFrom(sha256(LEAF, bytes), { position, size: head.size, path });
    if (root?.toString('hex') !== head.root_hash)
      throw new ReceiptRefused('The journal does not hold one of its transactions.');
    return read(bytes);
  });
  if (sealed.some(({ paymentId }) => paymentId !== payment_id))
    throw new ReceiptRefused('One of its transactions is of another payment.');
  if (new Set(sealed.map(({ id }) => id)).size < sealed.length)
    throw new ReceiptRefused('It has a transaction twice.');
  return sealed;
}

const LEAF = Buffer.from([0]);
const INNER = Buffer.from([1]);

function sha256(...parts: Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The hash over the previous head, the size and the root. */
function headHash({ previous_head_hash, size, root_hash }: Receipt['head']): string {
  const previous = Buffer.from(previous_head_hash, 'hex');
  const sizeBytes = Buffer.alloc(8);
  sizeBytes.writeBigUInt64BE(BigInt(size));
  const layout = Buffer.from('payflowx.ledger.head.v1');
  const parts = [layout, Buffer.from([previous.length]), previous, sizeBytes, Buffer.from(root_hash, 'hex')];
  return sha256(...parts).toString('hex');
}

/** Implements RFC 9162, 2.1.3.2, which is clearer than RFC 6962. Undefined if the path cannot lead to a root. */
function rootFrom(
  leaf: Buffer,
  { position, size, path }: { position: number; size: number; path: readonly string[] },
): Buffer | undefined {
  let [at, last, root] = [position, size - 1, leaf];
  if (position < 0 || position > last) return undefined;
  for (const step of path) {
    if (last === 0) return undefined;
    const sibling = Buffer.from(step, 'hex');
    if (at % 2 === 1 || at === last) {
      root = sha256(INNER, sibling, root);
      while (at % 2 === 0 && at !== 0) [at, last] = [halved(at), halved(last)];
    } else {
      root = sha256(INNER, root, sibling);
    }
    [at, last] = [halved(at), halved(last)];
  }
  return last === 0 ? root : undefined;
}

/** No bit shift, because a journal may have more than 2^32 transactions. */
const halved = (number: number) => Math.floor(number / 2);

/** Reads fields in a fixed order: texts by length and UTF-8, numbers big-endian. */
function read(bytes: Buffer): SealedTransaction {
  let at = 0;
  const take = (length: number) => {
    if (at + length > bytes.length) throw new ReceiptRefused('The sealed bytes end too early.');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const uint32 = () => take(4).readUInt32BE();
  const int64 = () => Number(take(8).readBigInt64BE());
  const text = () => take(uint32()).toString();
  if (text() !== 'payflowx.ledger.transaction.v1')
    throw new ReceiptRefused('The sealed bytes are of no transaction.');
  const head = { id: text(), eventType: text(), paymentId: text(), createdAt: new Date(int64()) };
  const postings: SealedTransaction['postings'] = [];
  for (let left = uint32(); left > 0; left -= 1) {
    uint32(); // The number of the posting. Postings are in order, so it is not needed.
    const [kind, debitAccount, creditAccount] = [text(), text(), text()];
    postings.push({ kind, debitAccount, creditAccount, amount: int64(), currency: text() });
  }
  if (at !== bytes.length) throw new ReceiptRefused('The sealed bytes go on after their end.');
  return { ...head, postings };
}
