/** Adds the transactions of events to the journal and to the balances, in one database transaction for a whole batch. */
import { faultPoint } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { balanceChanges } from '../domain/balances.ts';
import { EventRefused } from '../domain/errors.ts';
import { canonicalText, type JournalTransaction } from '../domain/journal.ts';
import { addToBalances } from '../store/balances.ts';
import type { Database } from '../store/database.ts';
import { findTransactions, insertPostings, insertTransactions } from '../store/journal.ts';

/**
 * Records each transaction once, for any number and order of deliveries. Throws EventRefused if the journal has the id with
 * another content; then nothing of the batch is recorded.
 */
export async function recordTransactions(
  { db }: { db: Kysely<Database> },
  transactions: readonly JournalTransaction[],
): Promise<void> {
  // Sorted, so that instances that record the same transactions at the same time wait and do not deadlock.
  const distinct = withoutRepeats(transactions).sort((a, b) => (a.id < b.id ? -1 : 1));
  if (distinct.length === 0) return;
  await inTransaction(db, async (trx) => {
    const added = await insertTransactions(trx, distinct);
    const [fresh, known] = partition(distinct, ({ id }) => added.has(id));
    if (known.length > 0) await requireSameContent(trx, known);
    if (fresh.length === 0) return;
    await insertPostings(trx, fresh);
    await addToBalances(trx, balanceChanges(fresh));
    faultPoint('ledger.before-commit');
  });
  faultPoint('ledger.after-commit');
}

function withoutRepeats(transactions: readonly JournalTransaction[]): JournalTransaction[] {
  const byId = new Map<string, JournalTransaction>();
  for (const transaction of transactions) {
    const first = byId.get(transaction.id);
    if (first) requireEqual(transaction, first);
    else byId.set(transaction.id, transaction);
  }
  return [...byId.values()];
}

/** The journal itself is the inbox: a transaction with an id that is already there must be the same transaction. */
async function requireSameContent(
  trx: Transaction<Database>,
  transactions: readonly JournalTransaction[],
): Promise<void> {
  const recorded = await findTransactions(
    trx,
    transactions.map(({ id }) => id),
  );
  const byId = new Map(recorded.map((transaction) => [transaction.id, transaction]));
  for (const transaction of transactions) requireEqual(transaction, byId.get(transaction.id));
}

function requireEqual(transaction: JournalTransaction, recorded: JournalTransaction | undefined): void {
  if (recorded && canonicalText(recorded) === canonicalText(transaction)) return;
  throw new EventRefused(`${transaction.id} is in the journal with another content.`);
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const { yes = [], no = [] } = Object.groupBy(items, (item) => (test(item) ? 'yes' : 'no'));
  return [yes, no];
}
