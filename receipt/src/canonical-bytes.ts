/** Reads the canonical bytes of a journal transaction, which the seal hashes. ledger/README.md has their layout as a table. */

const KINDS = ['hold', 'release', 'transfer'] as const;

/** A hold and its release belong to the pending layer, a transfer to the posted layer. */
export type PostingKind = (typeof KINDS)[number];

/** One amount that leaves one account and enters another. */
export interface SealedPosting {
  /** Its index in the transaction, from 0. */
  number: number;
  kind: PostingKind;
  debitAccount: string;
  creditAccount: string;
  /** Minor units, greater than 0. */
  amount: number;
  /** ISO 4217. */
  currency: string;
}

/** The postings of one event. */
export interface SealedTransaction {
  id: string;
  /** For example `payment.completed`. */
  eventType: string;
  paymentId: string;
  /** The time of the event. */
  createdAt: Date;
  postings: SealedPosting[];
}

export class NotCanonical extends Error {
  override readonly name = 'NotCanonical';
}

/** The first field. Bytes with this name have this layout for ever. */
const LAYOUT = 'payflowx.ledger.transaction.v1';
/** The largest time of a Date, in milliseconds before or after 1970. */
const MAX_TIME_MS = 8_640_000_000_000_000;
/** The number, three lengths of texts, the amount and the length of the currency. */
const SHORTEST_POSTING_BYTES = 28;

/** Throws NotCanonical for bytes that are not exactly one transaction. */
export function readCanonicalBytes(bytes: Buffer): SealedTransaction {
  const reader = readerOf(bytes);
  if (reader.text() !== LAYOUT) throw new NotCanonical(`they do not begin with "${LAYOUT}"`);
  const transaction: SealedTransaction = {
    id: reader.text(),
    eventType: reader.text(),
    paymentId: reader.text(),
    createdAt: readTime(reader),
    postings: Array.from({ length: readCount(reader) }, () => readPosting(reader)),
  };
  if (reader.left() > 0) throw new NotCanonical('they continue after their end');
  return transaction;
}

type Reader = ReturnType<typeof readerOf>;

function readTime(reader: Reader): Date {
  const time = Number(reader.int64());
  if (Math.abs(time) <= MAX_TIME_MS) return new Date(time);
  throw new NotCanonical('their time is out of range');
}

/** Checked before the list is made, so that four forged bytes cannot reserve gigabytes. */
function readCount(reader: Reader): number {
  const count = reader.uint32();
  if (count * SHORTEST_POSTING_BYTES <= reader.left()) return count;
  throw new NotCanonical('they end too early');
}

function readPosting(reader: Reader): SealedPosting {
  const number = reader.uint32();
  const kind = reader.text();
  if (!isKind(kind)) throw new NotCanonical(`"${kind}" is not a kind of posting`);
  const debitAccount = reader.text();
  const creditAccount = reader.text();
  const amount = readAmount(reader);
  return { number, kind, debitAccount, creditAccount, amount, currency: reader.text() };
}

function readAmount(reader: Reader): number {
  const amount = reader.int64();
  if (amount > 0n && amount <= Number.MAX_SAFE_INTEGER) return Number(amount);
  throw new NotCanonical(`${amount} is not an amount`);
}

function isKind(text: string): text is PostingKind {
  return (KINDS as readonly string[]).includes(text);
}

/** Refuses bytes that are not UTF-8, which would all read as the same replacement character. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function readerOf(bytes: Buffer) {
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new NotCanonical('they end too early');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const uint32 = () => take(4).readUInt32BE();
  return {
    uint32,
    int64: () => take(8).readBigInt64BE(),
    text: () => decode(take(uint32())),
    left: () => bytes.length - at,
  };
}

function decode(bytes: Buffer): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new NotCanonical('a text in them is not UTF-8');
  }
}
