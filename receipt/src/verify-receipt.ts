/**
 * Verifies a receipt against a head and needs nothing else. Everything about the payment is read from the canonical bytes, and
 * these must lead to the head's root.
 *
 * This code is independent of the code in ledger/ that seals, so that one mistake cannot be in both. The ledger's tests verify
 * its receipts with it.
 */
import { NotCanonical, readCanonicalBytes, type SealedTransaction } from './canonical-bytes.ts';
import { hashAt, hexAt, listAt, objectAt, textAt, wholeNumberAt } from './fields.ts';
import { leafHash, rootFromPath } from './hashes.ts';
import { type Head, requireTrustedHead, type TrustedHead } from './head.ts';
import { requireSameFields } from './readable-fields.ts';
import { ReceiptRefused } from './refusal.ts';

export type { TrustedHead };

/** Everything in it is proven: it is read from the sealed bytes or checked against the trusted head. */
export interface VerifiedReceipt {
  paymentId: string;
  /** The number of transactions that the head commits to. */
  size: number;
  rootHash: string;
  /** Sorted by position. */
  transactions: VerifiedTransaction[];
}

export interface VerifiedTransaction extends SealedTransaction {
  /** Its index in the sealed journal, from 0. */
  position: number;
}

/** `receipt` is the JSON of `GET /v1/ledger/payments/{id}/receipt`. Throws ReceiptRefused with the first reason found. */
export function verifyReceipt(receipt: unknown, trustedHead: TrustedHead): VerifiedReceipt {
  const fields = objectAt(receipt, 'the receipt');
  const paymentId = textAt(fields.payment_id, 'payment_id');
  const head = requireTrustedHead(fields.head, trustedHead);
  const items = listAt(fields.transactions, 'transactions');
  if (items.length === 0) throw new ReceiptRefused('It holds no transactions, so it proves nothing.');
  const transactions = items.map((item, index) =>
    verifyTransaction(item, { where: `transactions[${index}]`, paymentId, head }),
  );
  requireSealedOrder(transactions);
  return { paymentId, size: head.size, rootHash: head.rootHash.toString('hex'), transactions };
}

function verifyTransaction(
  item: unknown,
  { where, paymentId, head }: { where: string; paymentId: string; head: Head },
): VerifiedTransaction {
  const fields = objectAt(item, where);
  const canonical = hexAt(fields.canonical, `${where}: canonical`);
  const position = wholeNumberAt(fields.position, `${where}: position`);
  const path = listAt(fields.path, `${where}: path`).map((hash) => hashAt(hash, `${where}: path`));
  const root = rootFromPath(leafHash(canonical), { position, size: head.size, path });
  if (!root?.equals(head.rootHash)) {
    throw new ReceiptRefused(
      `${where}: its bytes, position and path do not lead to the head's root, so the journal does not hold it.`,
    );
  }
  const transaction = read(canonical, where);
  if (transaction.paymentId !== paymentId) {
    throw new ReceiptRefused(`${where} belongs to payment ${transaction.paymentId}, not to ${paymentId}.`);
  }
  if (fields.transaction !== undefined) {
    requireSameFields(fields.transaction, transaction, `${where}: transaction`);
  }
  return { ...transaction, position };
}

function read(canonical: Buffer, where: string): SealedTransaction {
  try {
    return readCanonicalBytes(canonical);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new ReceiptRefused(`${where}: its canonical bytes cannot be read: ${error.message}.`);
  }
}

/** Also finds a transaction that is listed twice, and one that was sealed at two positions. */
function requireSealedOrder(transactions: readonly VerifiedTransaction[]): void {
  const ids = new Set(transactions.map(({ id }) => id));
  if (ids.size < transactions.length) throw new ReceiptRefused('It holds a transaction twice.');
  for (const [index, { position }] of transactions.entries()) {
    const before = transactions[index - 1];
    if (before && before.position >= position) {
      throw new ReceiptRefused(`transactions[${index}] is not in the order in which they were sealed.`);
    }
  }
}
