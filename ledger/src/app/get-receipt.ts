/** Makes the receipt of a payment: its journal transactions, with the proof that a head commits to them. */
import { canonicalBytes } from '../domain/canonical-bytes.ts';
import { LedgerError } from '../domain/errors.ts';
import type { JournalTransaction } from '../domain/journal.ts';
import type { SealedHead } from '../domain/sealed-head.ts';
import { findTransactionsOfPayment } from '../store/journal.ts';
import { findAuditPaths, findHead, findNewestHead, findPositions } from '../store/seals.ts';
import { atOneMoment } from '../store/snapshot.ts';
import { type AccessDeps, readsOneAccountOf, type VerifiedCall } from './account-access.ts';

export interface Receipt {
  paymentId: string;
  head: SealedHead;
  /** Sorted by position. */
  transactions: SealedTransaction[];
}

export interface SealedTransaction {
  transaction: JournalTransaction;
  canonical: Buffer;
  position: number;
  /** Sorted from the leaf to the root. */
  path: Buffer[];
}

export interface ReceiptQuery {
  paymentId: string;
  /** The size of the head to prove against. Undefined means the newest head. */
  headSize?: bigint | undefined;
}

/**
 * Throws PAYMENT_NOT_FOUND if the journal does not know the payment or it is between other customers' accounts, NOT_SEALED_YET,
 * and INVALID_ARGUMENT if there is no head of this size. Against an older head the receipt holds what was sealed up to that head.
 */
export async function getReceipt(
  deps: AccessDeps,
  call: VerifiedCall,
  query: ReceiptQuery,
): Promise<Receipt> {
  const { transactions, head, sealed } = await atOneMoment(deps.db, (snapshot) =>
    readSealed(snapshot, query),
  );
  if (transactions.length === 0 || !(await readsOneAccountOf(deps, call, transactions))) {
    throw new LedgerError('PAYMENT_NOT_FOUND', 'The journal has no such payment.');
  }
  if (head === undefined && query.headSize !== undefined) {
    throw new LedgerError('INVALID_ARGUMENT', 'There is no head of this size.', {
      violations: [{ field: 'head_size', description: 'must be the size of a head that was sealed' }],
    });
  }
  const expected = query.headSize === undefined ? transactions.length : 1;
  if (head === undefined || sealed.length < expected) {
    throw new LedgerError('NOT_SEALED_YET', 'The payment will be sealed in a moment.', {
      retryAfterMs: 1_000,
    });
  }
  return { paymentId: query.paymentId, head, transactions: sealed };
}

async function readSealed(snapshot: AccessDeps['db'], { paymentId, headSize }: ReceiptQuery) {
  const transactions = await findTransactionsOfPayment(snapshot, paymentId);
  const head = await (headSize === undefined ? findNewestHead(snapshot) : findHead(snapshot, headSize));
  if (head === undefined) return { transactions, head, sealed: [] };
  const positions = await findPositions(
    snapshot,
    transactions.map(({ id }) => id),
  );
  const paths = await findAuditPaths(snapshot, head, [...positions.values()]);
  const sealed = transactions.flatMap((transaction): SealedTransaction[] => {
    const position = positions.get(transaction.id);
    if (position === undefined || position >= head.size) return [];
    const path = paths.get(position);
    if (!path) throw new Error(`the seal lacks a part of the path from position ${position} to its head`);
    return [{ transaction, canonical: canonicalBytes(transaction), position, path }];
  });
  return { transactions, head, sealed: sealed.sort((a, b) => a.position - b.position) };
}
