/**
 * Deletes expired idempotency keys. A sweep reads the table from its first block to its last, a part in each round, and starts again.
 * So the cost of a round depends on the size of the table alone, and no index on the time is needed.
 */
import { type Logger, type Repetition, repeat } from '@payflowx/chassis';
import { inTransaction } from '@payflowx/chassis/postgres';
import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../store/database.ts';
import { countBlocks, lockSweep, moveSweep, purgeKeys } from '../store/idempotency-keys.ts';

export interface PurgeDeps {
  db: Kysely<Database>;
  log: Logger;
  now(): Date;
  /** Milliseconds that a key is kept after its outcome. The public contract promises 24 hours. */
  retentionMs: number;
}

const ROUND_INTERVAL_MS = 10_000;
/** Milliseconds in which one instance sweeps the whole table. An expired key stays at most as long. */
const SWEEP_MS = 3 * 60 * 60 * 1_000;

/** Limits the keys that one transaction deletes to about 10,000, and so its time to a fraction of a second. */
const BLOCKS_PER_TRANSACTION = 256;

export function startPurge(deps: PurgeDeps): Repetition {
  const round = () => purgeIdempotencyKeys(deps, ROUND_INTERVAL_MS / SWEEP_MS).then(() => false);
  return repeat('the purge of idempotency keys', ROUND_INTERVAL_MS, round, deps.log);
}

/**
 * Sweeps this share of the table. Keys without a response are kept at any age, because their payments are not final. A later sweep
 * deletes them.
 */
export async function purgeIdempotencyKeys(
  { db, now, retentionMs }: PurgeDeps,
  share: number,
): Promise<void> {
  const before = new Date(now().getTime() - retentionMs);
  for (let left = Math.ceil((await countBlocks(db)) * share); left > 0; left -= BLOCKS_PER_TRANSACTION) {
    const blocks = Math.min(left, BLOCKS_PER_TRANSACTION);
    await inTransaction(db, (trx) => sweep(trx, blocks, before));
  }
}

/** Does nothing if another instance is sweeping. */
async function sweep(trx: Transaction<Database>, blocks: number, before: Date): Promise<void> {
  const from = await lockSweep(trx);
  if (from === undefined) return;
  await purgeKeys(trx, { from, to: from + blocks }, before);
  await moveSweep(trx, from + blocks);
}
