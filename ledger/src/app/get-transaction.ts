/** Reads one journal transaction, for viewers who may read one of its accounts. */
import { LedgerError } from '../domain/errors.ts';
import type { JournalTransaction } from '../domain/journal.ts';
import { findTransactions } from '../store/journal.ts';
import { type AccessDeps, readsOneAccountOf, type VerifiedCall } from './account-access.ts';

/** Throws TRANSACTION_NOT_FOUND if it is missing or between other customers' accounts. */
export async function getTransaction(
  deps: AccessDeps,
  call: VerifiedCall,
  id: string,
): Promise<JournalTransaction> {
  const [transaction] = await findTransactions(deps.db, [id]);
  if (transaction && (await readsOneAccountOf(deps, call, [transaction]))) return transaction;
  throw new LedgerError('TRANSACTION_NOT_FOUND', 'There is no such transaction.');
}
