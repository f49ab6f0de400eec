/** Reads and writes the tables `transactions` and `postings`. */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { JournalTransaction } from '../domain/journal.ts';
import type { Database, PostingRow, TransactionRow } from './database.ts';

/**
 * Adds the transactions that are not in the journal yet, queues them for the sealer, and returns their ids. Locks in the given
 * order, so pass them sorted by id. If another instance is adding the same transaction, the call waits for it.
 */
export async function insertTransactions(
  trx: Transaction<Database>,
  transactions: readonly JournalTransaction[],
): Promise<Set<string>> {
  const rows: TransactionRow[] = transactions.map(({ id, eventType, paymentId, createdAt }) => ({
    id,
    event_type: eventType,
    payment_id: paymentId,
    created_at: createdAt,
  }));
  const types = { id: 'text', event_type: 'text', payment_id: 'text', created_at: 'timestamptz' } as const;
  const inserted = await sql<{ id: string }>`
    with added as (
      insert into transactions (id, event_type, payment_id, created_at)
      select r.id, r.event_type, r.payment_id, r.created_at from ${unnest(rows, types)} as r order by r.ordinality
      on conflict (id) do nothing
      returning id
    ), queued as (
      insert into unsealed (transaction_id) select id from added on conflict do nothing
    )
    select id from added`.execute(trx);
  return new Set(inserted.rows.map(({ id }) => id));
}

export async function insertPostings(
  trx: Transaction<Database>,
  transactions: readonly JournalTransaction[],
): Promise<void> {
  const rows: (PostingRow & { created_at: Date })[] = transactions.flatMap(({ id, createdAt, postings }) =>
    postings.map((posting) => ({
      transaction_id: id,
      number: posting.number,
      kind: posting.kind,
      debit_account: posting.debitAccount,
      credit_account: posting.creditAccount,
      amount_minor: posting.amountMinor,
      currency: posting.currency,
      created_at: createdAt,
    })),
  );
  await sql`
    insert into postings (transaction_id, number, kind, debit_account, credit_account, amount_minor, currency, created_at)
    select r.transaction_id, r.number, r.kind, r.debit_account, r.credit_account, r.amount_minor, r.currency, r.created_at
    from ${unnest(rows, POSTING_TYPES)} as r`.execute(trx);
}

const POSTING_TYPES = {
  transaction_id: 'text',
  number: 'int2',
  kind: 'text',
  debit_account: 'text',
  credit_account: 'text',
  amount_minor: 'int8',
  currency: 'text',
  created_at: 'timestamptz',
} as const;

/** Returns all transactions of one payment, by id. */
export async function findTransactionsOfPayment(
  db: Kysely<Database>,
  paymentId: string,
): Promise<JournalTransaction[]> {
  return assemble(db, await selectTransactions(db).where('payment_id', '=', paymentId).execute());
}

/** Returns the transactions with these ids, with their postings, by id. Ids that are not in the journal are left out. */
export async function findTransactions(
  db: Kysely<Database>,
  ids: readonly string[],
): Promise<JournalTransaction[]> {
  return assemble(db, await selectTransactions(db).where('id', 'in', list(ids)).execute());
}

/** Returns the next transactions after the id, by id, to read the journal page by page. */
export async function listTransactionsAfter(
  db: Kysely<Database>,
  id: string,
  limit: number,
): Promise<JournalTransaction[]> {
  return assemble(db, await selectTransactions(db).where('id', '>', id).limit(limit).execute());
}

function selectTransactions(db: Kysely<Database>) {
  return db.selectFrom('transactions').select(['id', 'event_type', 'payment_id', 'created_at']).orderBy('id');
}

/** One array parameter for any number of ids, so that the text of the statement stays the same. */
function list(ids: readonly string[]) {
  return sql<string>`(select unnest(${ids}::text[]))`;
}

async function assemble(
  db: Kysely<Database>,
  rows: readonly TransactionRow[],
): Promise<JournalTransaction[]> {
  const postings = await db
    .selectFrom('postings')
    .select([
      'transaction_id',
      'number',
      'kind',
      'debit_account',
      'credit_account',
      'amount_minor',
      'currency',
    ])
    .where('transaction_id', 'in', list(rows.map(({ id }) => id)))
    .orderBy('transaction_id')
    .orderBy('number')
    .execute();
  const byTransaction = Map.groupBy(postings, (posting) => posting.transaction_id);
  return rows.map((row) => ({
    id: row.id,
    eventType: row.event_type,
    paymentId: row.payment_id,
    createdAt: row.created_at,
    postings: (byTransaction.get(row.id) ?? []).map(toPosting),
  }));
}

function toPosting(row: PostingRow): JournalTransaction['postings'][number] {
  return {
    number: row.number,
    kind: row.kind,
    debitAccount: row.debit_account,
    creditAccount: row.credit_account,
    amountMinor: row.amount_minor,
    currency: row.currency,
  };
}
