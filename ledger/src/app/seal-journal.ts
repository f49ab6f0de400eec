/**
 * Seals the journal in the background, after the commit: each new transaction gets its position in the Merkle tree, and a new
 * head commits to the tree. Any number of instances may run it; one seals at a time.
 */
import { faultPoint, type Logger, type Repetition, repeat } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import { canonicalBytes } from '../domain/canonical-bytes.ts';
import { hourlyChanges } from '../domain/hours.ts';
import type { JournalTransaction } from '../domain/journal.ts';
import { type GrowingTree, growingTree, leafHash, type Subtree, subtreesOf } from '../domain/merkle-tree.ts';
import { headHash, type SealedHead } from '../domain/sealed-head.ts';
import type { Database } from '../store/database.ts';
import { addToHourlyTotals } from '../store/hourly-totals.ts';
import { findTransactions } from '../store/journal.ts';
import {
  findNewestHead,
  findPositions,
  findSubtreeHashes,
  insertHead,
  insertSeals,
  keyOf,
  listUnsealed,
  lockSeal,
  removeUnsealed,
  type Seal,
} from '../store/seals.ts';

export interface SealDeps {
  db: Kysely<Database>;
  now: () => Date;
}

/** Small enough that hashing a batch delays no request, large enough that a backlog shrinks quickly. */
const BATCH = 1_000;

export function startSealer(deps: SealDeps, everyMs: number, log: Logger): Repetition {
  return repeat('sealing', everyMs, () => sealBatch(deps), log);
}

/** Seals up to `limit` waiting transactions in one database transaction. Returns true if there may be more. */
export async function sealBatch({ db, now }: SealDeps, limit = BATCH): Promise<boolean> {
  const count = await inTransaction(db, async (trx) => {
    if (!(await lockSeal(trx))) return 0;
    const ids = await listUnsealed(trx, limit);
    if (ids.length === 0) return 0;
    // A transaction that was removed with superuser rights and came back with a replay has its position already.
    const sealed = await findPositions(trx, ids);
    const fresh = await findTransactions(
      trx,
      ids.filter((id) => !sealed.has(id)),
    );
    if (fresh.length > 0) await seal(trx, fresh, now());
    await removeUnsealed(trx, ids);
    faultPoint('ledger.before-seal-commit');
    return ids.length;
  });
  faultPoint('ledger.after-seal-commit');
  return count === limit;
}

async function seal(
  trx: Transaction<Database>,
  transactions: readonly JournalTransaction[],
  sealedAt: Date,
): Promise<void> {
  const previous = await findNewestHead(trx);
  const tree = await readTree(trx, previous?.size ?? 0);
  await insertSeals(
    trx,
    transactions.map((transaction) => toSeal(transaction, tree)),
  );
  await addToHourlyTotals(trx, hourlyChanges(transactions));
  await insertHead(trx, nextHead(previous, tree, sealedAt));
}

async function readTree(trx: Transaction<Database>, size: number): Promise<GrowingTree> {
  const subtrees = subtreesOf(0, size);
  const hashes = await findSubtreeHashes(trx, subtrees);
  const hashOf = (subtree: Subtree) => {
    const hash = hashes.get(keyOf(subtree));
    if (!hash) throw new Error(`the seal lacks the hash of its subtree of ${keyOf(subtree)}`);
    return hash;
  };
  return growingTree(size, subtrees.map(hashOf));
}

function toSeal(transaction: JournalTransaction, tree: GrowingTree): Seal {
  const position = tree.size;
  const leaf = leafHash(canonicalBytes(transaction));
  return { position, transactionId: transaction.id, leafHash: leaf, subtreeHashes: tree.append(leaf) };
}

function nextHead(previous: SealedHead | undefined, tree: GrowingTree, sealedAt: Date): SealedHead {
  const committed = {
    previousHeadHash: previous?.headHash ?? Buffer.alloc(0),
    size: tree.size,
    rootHash: tree.root(),
  };
  return { ...committed, headHash: headHash(committed), sealedAt };
}
