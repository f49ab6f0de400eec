/** Makes the receipt of a payment: all that it did to the journal, with the proof that the newest head commits to it. */
import { canonicalBytes } from '../domain/canonical-bytes.ts';
import { LedgerError } from '../domain/errors.ts';
import type { JournalTransaction } from '../domain/journal.ts';
import type { SealedHead } from '../domain/sealed-head.ts';
import { findTransactionsOfPayment } from '../store/journal.ts';
import { findAuditPaths, findPositions } from '../store/seals.ts';
import { atOneMoment } from '../store/snapshot.ts';
import { type AccessDeps, seesOneOf, type Viewer } from './account-access.ts';

export interface Receipt {
  paymentId: string;
  head: SealedHead;
  /** By position. */
  transactions: SealedTransaction[];
}

export interface SealedTransaction {
  transaction: JournalTransaction;
  canonical: Buffer;
  position: number;
  /** From the leaf to the root. */
  path: Buffer[];
}

/** Throws PAYMENT_NOT_FOUND for one that the journal knows nothing of and for other people's; NOT_SEALED_YET. */
export async function getReceipt(deps: AccessDeps, viewer: Viewer, paymentId: string): Promise<Receipt> {
  const { transactions, positions, head, paths } = await atOneMoment(deps.db, async (snapshot) => {
    const transactions = await findTransactionsOfPayment(snapshot, paymentId);
    const positions = await findPositions(
      snapshot,
      transactions.map(({ id }) => id),
    );
    return { transactions, positions, ...(await findAuditPaths(snapshot, [...positions.values()])) };
  });
  if (transactions.length === 0 || !(await seesOneOf(deps, viewer, transactions))) {
    throw new LedgerError('PAYMENT_NOT_FOUND', 'The journal has no such payment.');
  }
  if (!head || positions.size < transactions.length) throw notSealedYet();
  const sealed = transactions.map((transaction) => {
    const position = positions.get(transaction.id) ?? -1;
    const path = paths.get(position);
    if (!path) throw new Error(`the seal lacks a part of the path from position ${position} to its head`);
    return { transaction, canonical: canonicalBytes(transaction), position, path };
  });
  return { paymentId, head, transactions: sealed.sort((a, b) => a.position - b.position) };
}

function notSealedYet(): LedgerError {
  return new LedgerError('NOT_SEALED_YET', 'The payment will be sealed in a moment.', [], 1_000);
}
