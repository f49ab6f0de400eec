/** Generated journals for tests. */
import { newId } from '@payflowx/chassis';
import type { JournalTransaction, Posting } from '../src/domain/journal.ts';

/** A transaction in EUR with these postings. */
export function transactionOf(
  postings: Omit<Posting, 'number' | 'currency'>[],
  changes: Partial<JournalTransaction> = {},
): JournalTransaction {
  return {
    id: newId('txn'),
    eventType: 'payment.completed',
    paymentId: newId('pay'),
    createdAt: new Date(),
    postings: postings.map((posting, number) => ({ ...posting, number, currency: 'EUR' })),
    ...changes,
  };
}

/** A transaction that moves money from one account to another. */
export function transferOf(
  amountMinor: bigint,
  changes: Partial<JournalTransaction> = {},
  [debitAccount, creditAccount] = ['acct_a', 'acct_b'],
): JournalTransaction {
  return transactionOf([{ kind: 'transfer', debitAccount, creditAccount, amountMinor }], changes);
}
