/**
 * The canonical bytes of a journal transaction, which the seal hashes. A transaction has one form only.
 *
 * Fields come in a fixed order. A text is its length in UTF-8 bytes (4 bytes) and these bytes; numbers are big-endian. So no two
 * transactions share their bytes, and the bytes can be written and read without a library. README.md has the layout as a table.
 * The package `receipt` reads them.
 */
import type { JournalTransaction } from './journal.ts';

/** The first field. Bytes with this name have this layout for ever; a new layout gets a new name. */
const LAYOUT = 'payflowx.ledger.transaction.v1';

export function canonicalBytes(transaction: JournalTransaction): Buffer {
  const writer = writerOf(maxLengthOf(transaction));
  writer.text(LAYOUT);
  writer.text(transaction.id);
  writer.text(transaction.eventType);
  writer.text(transaction.paymentId);
  writer.int64(BigInt(transaction.createdAt.getTime()));
  writer.uint32(transaction.postings.length);
  for (const posting of transaction.postings) {
    writer.uint32(posting.number);
    writer.text(posting.kind);
    writer.text(posting.debitAccount);
    writer.text(posting.creditAccount);
    writer.int64(posting.amountMinor);
    writer.text(posting.currency);
  }
  return writer.written();
}

/** An upper bound: a UTF-16 unit takes at most 3 bytes in UTF-8. */
function maxLengthOf({ id, eventType, paymentId, postings }: JournalTransaction): number {
  const head = 100 + 3 * (id.length + eventType.length + paymentId.length);
  return postings.reduce(
    (length, { debitAccount, creditAccount, currency }) =>
      length + 60 + 3 * (debitAccount.length + creditAccount.length + currency.length),
    head,
  );
}

/** One buffer for all fields, because a proof writes millions of transactions. */
function writerOf(maxLength: number) {
  const bytes = Buffer.allocUnsafe(maxLength);
  let at = 0;
  return {
    text(value: string) {
      const length = bytes.write(value, at + 4, 'utf8');
      bytes.writeUInt32BE(length, at);
      at += 4 + length;
    },
    uint32(value: number) {
      at = bytes.writeUInt32BE(value, at);
    },
    int64(value: bigint) {
      at = bytes.writeBigInt64BE(value, at);
    },
    written: () => bytes.subarray(0, at),
  };
}
