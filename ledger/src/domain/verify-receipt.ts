/**
 * Verifies a receipt against a head and needs nothing else. Everything about the payment is read from the canonical bytes, and
 * these must lead to the head's root.
 *
 * Pure, and imports nothing but Node's SHA-256, so that an outsider can read all of it.
 */
import { readCanonicalBytes } from './canonical-bytes.ts';
import { type JournalTransaction, toRestTransaction } from './journal.ts';
import { leafHash, rootFromPath } from './merkle-tree.ts';
import { headHash } from './sealed-head.ts';

/** The reason why a receipt proves nothing. */
export class ReceiptRefused extends Error {
  override readonly name = 'ReceiptRefused';
}

export interface VerifiedReceipt {
  paymentId: string;
  /** The number of transactions that the head commits to. */
  size: number;
  rootHash: string;
  transactions: { transaction: JournalTransaction; position: number }[];
}

/**
 * `head` is the head that the verifier trusts: the JSON of the API, or only its root_hash or head_hash in hex. Throws
 * ReceiptRefused with the first reason found.
 */
export function verifyReceipt(receipt: unknown, head: unknown): VerifiedReceipt {
  const fields = objectAt(receipt, 'the receipt');
  const paymentId = textAt(fields.payment_id, 'payment_id');
  const claimed = readHead(fields.head, 'the receipt’s head');
  requireSameHead(claimed, head);
  const items = listAt(fields.transactions, 'transactions');
  if (items.length === 0) throw new ReceiptRefused('It holds no transactions, so it proves nothing.');
  const transactions = items.map((item, index) =>
    verifyTransaction(item, { where: `transactions[${index}]`, paymentId, head: claimed }),
  );
  const ids = new Set(transactions.map(({ transaction }) => transaction.id));
  if (ids.size < transactions.length) throw new ReceiptRefused('It holds a transaction twice.');
  return { paymentId, size: claimed.size, rootHash: claimed.rootHash.toString('hex'), transactions };
}

interface Head {
  size: number;
  rootHash: Buffer;
  headHash: Buffer;
}

function readHead(value: unknown, where: string): Head {
  const fields = objectAt(value, where);
  const size = wholeNumberAt(fields.size, `${where}: size`);
  const rootHash = hashAt(fields.root_hash, `${where}: root_hash`);
  const previousHeadHash = hexAt(fields.previous_head_hash, `${where}: previous_head_hash`);
  const head = { size, rootHash, headHash: hashAt(fields.head_hash, `${where}: head_hash`) };
  if (previousHeadHash.length !== 0 && previousHeadHash.length !== HASH_BYTES) {
    throw new ReceiptRefused(`${where}: previous_head_hash is not a hash.`);
  }
  if (headHash({ previousHeadHash, size, rootHash }).equals(head.headHash)) return head;
  throw new ReceiptRefused(
    `In ${where}, head_hash is not the hash of size, root_hash and previous_head_hash.`,
  );
}

function requireSameHead(claimed: Head, trusted: unknown): void {
  if (typeof trusted === 'string') {
    const hash = hashAt(trusted, 'the head');
    if (hash.equals(claimed.rootHash) || hash.equals(claimed.headHash)) return;
    throw new ReceiptRefused(
      `It was made against another head: its root is ${claimed.rootHash.toString('hex')}.`,
    );
  }
  const head = readHead(trusted, 'the head');
  if (head.headHash.equals(claimed.headHash)) return;
  throw new ReceiptRefused(
    `It was made against another head: of size ${claimed.size}, not ${head.size}. Verify it with the head of that size, or request a new receipt.`,
  );
}

function verifyTransaction(
  item: unknown,
  { where, paymentId, head }: { where: string; paymentId: string; head: Head },
): VerifiedReceipt['transactions'][number] {
  const fields = objectAt(item, where);
  const canonical = hexAt(fields.canonical, `${where}: canonical`);
  const position = wholeNumberAt(fields.position, `${where}: position`);
  const path = listAt(fields.path, `${where}: path`).map((hash) => hashAt(hash, `${where}: path`));
  const root =
    position < head.size ? rootFromPath(leafHash(canonical), { position, size: head.size, path }) : undefined;
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
    requireSameFields(fields.transaction, toRestTransaction(transaction), `${where}: transaction`);
  }
  return { transaction, position };
}

function read(canonical: Buffer, where: string): JournalTransaction {
  try {
    return readCanonicalBytes(canonical);
  } catch (error) {
    throw new ReceiptRefused(`${where}: its canonical bytes cannot be read: ${(error as Error).message}.`);
  }
}

/** The JSON fields beside the bytes prove nothing, but they must not mislead a reader. */
function requireSameFields(said: unknown, sealed: unknown, where: string): void {
  if (Array.isArray(sealed)) {
    const items = listAt(said, where);
    if (items.length !== sealed.length) {
      throw new ReceiptRefused(`${where} has ${items.length} items; the sealed bytes have ${sealed.length}.`);
    }
    for (const [index, item] of sealed.entries()) requireSameFields(items[index], item, `${where}[${index}]`);
  } else if (typeof sealed === 'object' && sealed !== null) {
    const fields = objectAt(said, where);
    for (const [name, value] of Object.entries(sealed))
      requireSameFields(fields[name], value, `${where}.${name}`);
  } else if (said !== sealed) {
    throw new ReceiptRefused(
      `${where} says ${JSON.stringify(said)}; the sealed bytes say ${JSON.stringify(sealed)}.`,
    );
  }
}

const HASH_BYTES = 32;

function objectAt(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new ReceiptRefused(`${where} is missing or not an object.`);
}

function listAt(value: unknown, where: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ReceiptRefused(`${where} is missing or not a list.`);
}

function textAt(value: unknown, where: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new ReceiptRefused(`${where} is missing, empty or not a text.`);
}

function wholeNumberAt(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ReceiptRefused(`${where} is missing or not a whole number.`);
}

function hexAt(value: unknown, where: string): Buffer {
  if (typeof value === 'string' && /^([0-9a-f]{2})*$/.test(value)) return Buffer.from(value, 'hex');
  throw new ReceiptRefused(`${where} is missing or not in lower-case hex.`);
}

function hashAt(value: unknown, where: string): Buffer {
  const bytes = hexAt(value, where);
  if (bytes.length === HASH_BYTES) return bytes;
  throw new ReceiptRefused(`${where} is not a SHA-256.`);
}
