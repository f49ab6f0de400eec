/** The reads of journal and seal for a proof. They run in batches by position, so that millions of rows need no more memory. */
import { type Kysely, sql } from 'kysely';
import type { SealedLeaf } from '../domain/check-seal.ts';
import type { JournalTransaction, PostingKind } from '../domain/journal.ts';
import type { SealedHead } from '../domain/sealed-head.ts';
import type { Database } from './database.ts';
import { listHeadsAfter } from './seals.ts';

const BATCH = 1_000;

/**
 * All rows of the seal by position, each with its transaction from the journal. The database reads the next batch while this one
 * is being hashed.
 */
export async function* sealedLeaves(snapshot: Kysely<Database>): AsyncGenerator<SealedLeaf> {
  let next = readLeaves(snapshot, -1);
  for (;;) {
    const leaves = await next;
    const last = leaves.at(-1);
    if (!last) return;
    next = readLeaves(snapshot, last.position);
    // A caller that found a fault reads no further. Then the result of this query is not used.
    next.catch(() => {});
    yield* leaves;
  }
}

async function readLeaves(snapshot: Kysely<Database>, after: number): Promise<SealedLeaf[]> {
  const { rows } = await selectLeaves(BigInt(after)).execute(snapshot);
  return [...Map.groupBy(rows, (row) => row.position).values()].map(toLeaf);
}

/** One row for each posting. A transaction that is missing or has no postings still has one row. */
interface LeafRow {
  position: bigint;
  transaction_id: string;
  leaf_hash: Buffer;
  subtree_hashes: Buffer;
  /** Null if the transaction is missing. */
  event_type: string | null;
  payment_id: string;
  created_at_ms: number;
  number: number | null;
  kind: PostingKind;
  debit_account: string;
  credit_account: string;
  amount_minor: bigint;
  currency: string;
  times_agree: boolean;
}

function selectLeaves(after: bigint) {
  return sql<LeafRow>`
    select s.position, s.transaction_id, s.leaf_hash, s.subtree_hashes,
           t.event_type, t.payment_id, (extract(epoch from t.created_at) * 1000)::float8 as created_at_ms,
           p.number, p.kind, p.debit_account, p.credit_account, p.amount_minor, p.currency,
           p.created_at is not distinct from date_trunc('milliseconds', t.created_at) as times_agree
    from (select * from seals where position > ${after}::int8 order by position limit ${BATCH}) as s
      left join transactions as t on t.id = s.transaction_id
      left join postings as p on p.transaction_id = t.id
    order by s.position, p.number`;
}

function toLeaf(rows: LeafRow[]): SealedLeaf {
  const [row] = rows;
  if (!row) throw new Error('a group has at least one row');
  return {
    position: Number(row.position),
    transactionId: row.transaction_id,
    leafHash: row.leaf_hash,
    subtreeHashes: row.subtree_hashes,
    transaction: row.event_type === null ? undefined : toTransaction(row.event_type, row, rows),
    timesAgree: rows.every((each) => each.times_agree),
  };
}

function toTransaction(eventType: string, row: LeafRow, rows: readonly LeafRow[]): JournalTransaction {
  return {
    id: row.transaction_id,
    eventType,
    paymentId: row.payment_id,
    createdAt: new Date(row.created_at_ms),
    postings: rows.flatMap((each) =>
      each.number === null
        ? []
        : {
            number: each.number,
            kind: each.kind,
            debitAccount: each.debit_account,
            creditAccount: each.credit_account,
            amountMinor: each.amount_minor,
            currency: each.currency,
          },
    ),
  };
}

/** Yields all heads by size. */
export async function* sealedHeads(snapshot: Kysely<Database>): AsyncGenerator<SealedHead> {
  let size = 0;
  for (;;) {
    const heads = await listHeadsAfter(snapshot, size, BATCH);
    yield* heads;
    if (heads.length < BATCH) return;
    size = heads.at(-1)?.size ?? size;
  }
}

export interface Waiting {
  /** Transactions of the journal that are not sealed yet. */
  transactionCount: bigint;
  postingCount: bigint;
}

export async function countWaiting(snapshot: Kysely<Database>): Promise<Waiting> {
  const { rows } = await sql<{ transactions: bigint; postings: bigint }>`
    select count(distinct t.id) as transactions, count(p.transaction_id) as postings
    from unsealed as u join transactions as t on t.id = u.transaction_id
      left join postings as p on p.transaction_id = t.id
    where not exists (select from seals as s where s.transaction_id = u.transaction_id)`.execute(snapshot);
  const { transactions = 0n, postings = 0n } = rows[0] ?? {};
  return { transactionCount: transactions, postingCount: postings };
}

/** The lowest id that waits to be sealed, but was never sealed and is no longer in the journal. */
export async function findRemovedUnsealed(snapshot: Kysely<Database>): Promise<string | undefined> {
  return firstId(
    snapshot,
    sql`select u.transaction_id as id from unsealed as u
      where not exists (select from transactions as t where t.id = u.transaction_id)
        and not exists (select from seals as s where s.transaction_id = u.transaction_id)`,
  );
}

/** The lowest id in the journal that is neither sealed nor waiting for it. */
export async function findUnqueued(snapshot: Kysely<Database>): Promise<string | undefined> {
  return firstId(
    snapshot,
    sql`select t.id from transactions as t
      where not exists (select from seals as s where s.transaction_id = t.id)
        and not exists (select from unsealed as u where u.transaction_id = t.id)`,
  );
}

/** The lowest id that has postings, but no transaction in the journal. */
export async function findWithoutTransaction(snapshot: Kysely<Database>): Promise<string | undefined> {
  return firstId(
    snapshot,
    sql`select p.transaction_id as id from postings as p
      where not exists (select from transactions as t where t.id = p.transaction_id)`,
  );
}

export async function transactionAt(
  snapshot: Kysely<Database>,
  position: number,
): Promise<string | undefined> {
  return firstId(
    snapshot,
    sql`select transaction_id as id from seals where position = ${BigInt(position)}::int8`,
  );
}

async function firstId(
  snapshot: Kysely<Database>,
  query: ReturnType<typeof sql>,
): Promise<string | undefined> {
  const { rows } = await sql<{ id: string | null }>`select min(id) as id from (${query}) as found`.execute(
    snapshot,
  );
  return rows[0]?.id ?? undefined;
}
