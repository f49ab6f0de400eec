/**
 * Reads and writes the tables `unsealed`, `seals` and `heads`: the queue of the sealer, the leaves of the tree, and the heads
 * over it.
 */
import { unnest } from '@payflowx/chassis/postgres';
import { type Kysely, sql, type Transaction } from 'kysely';
import { auditSiblings, rootOf, type Subtree } from '../domain/merkle-tree.ts';
import type { SealedHead } from '../domain/sealed-head.ts';
import type { Database, HeadRow, SealRow } from './database.ts';

export interface Seal {
  position: number;
  transactionId: string;
  leafHash: Buffer;
  /** The hashes of the larger complete subtrees that end with this leaf, smallest first. */
  subtreeHashes: Buffer[];
}

const HASH_BYTES = 32;

/**
 * Takes the lock that lets one database transaction seal at a time, among all instances. Returns false if another one holds it.
 *
 * The queue is nearly empty or full of dead rows, and its statistics are of another moment. So sequential scans are off: only the
 * index is always a good plan.
 */
export async function lockSeal(trx: Transaction<Database>): Promise<boolean> {
  const { rows } = await sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended('ledger seal', 0)) as locked,
           set_config('enable_seqscan', 'off', true)`.execute(trx);
  return rows[0]?.locked ?? false;
}

/**
 * Waiting ids, always from the lowest one on. Continuing after the last id seen would skip ids, because they become visible in
 * the order of commits.
 */
export async function listUnsealed(trx: Transaction<Database>, limit: number): Promise<string[]> {
  // An id whose transaction was removed with superuser rights stays in the queue, so that the proof can name it.
  const rows = await trx
    .selectFrom('unsealed as u')
    .select('u.transaction_id')
    .where(({ exists, selectFrom }) =>
      exists(selectFrom('transactions as t').select('t.id').whereRef('t.id', '=', 'u.transaction_id')),
    )
    .orderBy('u.transaction_id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.transaction_id);
}

export async function removeUnsealed(trx: Transaction<Database>, ids: readonly string[]): Promise<void> {
  await sql`delete from unsealed where transaction_id = any(${ids}::text[])`.execute(trx);
}

/** The positions of the sealed ones among these ids. */
export async function findPositions(
  db: Kysely<Database>,
  ids: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await sql<Pick<SealRow, 'transaction_id' | 'position'>>`
    select transaction_id, position from seals where transaction_id = any(${ids}::text[])`.execute(db);
  return new Map(rows.map((row) => [row.transaction_id, Number(row.position)]));
}

export async function insertSeals(trx: Transaction<Database>, seals: readonly Seal[]): Promise<void> {
  const rows: SealRow[] = seals.map((seal) => ({
    position: BigInt(seal.position),
    transaction_id: seal.transactionId,
    leaf_hash: seal.leafHash,
    subtree_hashes: Buffer.concat(seal.subtreeHashes),
  }));
  const types = {
    position: 'int8',
    transaction_id: 'text',
    leaf_hash: 'bytea',
    subtree_hashes: 'bytea',
  } as const;
  await sql`
    insert into seals (position, transaction_id, leaf_hash, subtree_hashes)
    select r.position, r.transaction_id, r.leaf_hash, r.subtree_hashes from ${unnest(rows, types)} as r`.execute(
    trx,
  );
}

export async function insertHead(trx: Transaction<Database>, head: SealedHead): Promise<void> {
  const row: HeadRow = {
    size: BigInt(head.size),
    root_hash: head.rootHash,
    head_hash: head.headHash,
    previous_head_hash: head.previousHeadHash,
    sealed_at: head.sealedAt,
  };
  await trx.insertInto('heads').values(row).execute();
}

export async function findNewestHead(db: Kysely<Database>): Promise<SealedHead | undefined> {
  const row = await selectHeads(db).orderBy('size', 'desc').limit(1).executeTakeFirst();
  return row && toHead(row);
}

export async function findHead(db: Kysely<Database>, size: bigint): Promise<SealedHead | undefined> {
  const row = await selectHeads(db).where('size', '=', size).executeTakeFirst();
  return row && toHead(row);
}

/** Returns the next heads after the one of this size, by size. */
export async function listHeadsAfter(
  db: Kysely<Database>,
  size: number,
  limit: number,
): Promise<SealedHead[]> {
  const after = BigInt(size);
  const rows = await selectHeads(db).where('size', '>', after).orderBy('size').limit(limit).execute();
  return rows.map(toHead);
}

function selectHeads(db: Kysely<Database>) {
  return db.selectFrom('heads').select(['size', 'root_hash', 'head_hash', 'previous_head_hash', 'sealed_at']);
}

function toHead(row: HeadRow): SealedHead {
  return {
    size: Number(row.size),
    rootHash: row.root_hash,
    headHash: row.head_hash,
    previousHeadHash: row.previous_head_hash,
    sealedAt: row.sealed_at,
  };
}

/**
 * The hash of each complete subtree, as stored with the leaf that completed it. If the seal was changed by an attacker, some may
 * be missing.
 */
export async function findSubtreeHashes(
  db: Kysely<Database>,
  subtrees: readonly Subtree[],
): Promise<Map<string, Buffer>> {
  const positions = [...new Set(subtrees.map(({ last }) => BigInt(last)))];
  const { rows } = await sql<SealRow>`
    select position, transaction_id, leaf_hash, subtree_hashes from seals
    where position = any(${positions}::int8[])`.execute(db);
  const stored = new Map(
    rows.map((row) => [Number(row.position), Buffer.concat([row.leaf_hash, row.subtree_hashes])]),
  );
  return new Map(
    subtrees.flatMap((subtree) => {
      const hash = stored
        .get(subtree.last)
        ?.subarray(HASH_BYTES * subtree.level)
        .subarray(0, HASH_BYTES);
      return hash?.length === HASH_BYTES ? [[keyOf(subtree), hash] as const] : [];
    }),
  );
}

/** The audit path from each position that the head commits to. A position has none if the seal lacks a part of its path. */
export async function findAuditPaths(
  db: Kysely<Database>,
  head: SealedHead,
  positions: readonly number[],
): Promise<Map<number, Buffer[]>> {
  const siblings = positions
    .filter((position) => position < head.size)
    .map((position) => ({ position, path: auditSiblings(position, head.size) }));
  const hashes = await findSubtreeHashes(
    db,
    siblings.flatMap(({ path }) => path.flat()),
  );
  const whole = siblings.filter(({ path }) => path.flat().every((subtree) => hashes.has(keyOf(subtree))));
  const hashOf = (sibling: Subtree[]) =>
    rootOf(sibling.flatMap((subtree) => hashes.get(keyOf(subtree)) ?? []));
  return new Map(whole.map(({ position, path }) => [position, path.map(hashOf)]));
}

export function keyOf({ level, last }: Subtree): string {
  return `level ${level} up to position ${last}`;
}
