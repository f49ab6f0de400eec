/** Deletes expired idempotency keys in small batches, so that the table holds about one day of keys. */
import { type Logger, type Repetition, repeat } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { purgeKeys } from '../store/idempotency-keys.ts';

export interface PurgeDeps {
  db: Kysely<Database>;
  log: Logger;
  now(): Date;
  /** Milliseconds that a key with a response is kept. The public contract promises 24 hours. */
  retentionMs: number;
}

const BATCH = 1_000;

export function startPurge(deps: PurgeDeps, everyMs: number): Repetition {
  return repeat('the purge of idempotency keys', everyMs, () => purgeIdempotencyKeys(deps), deps.log);
}

/**
 * Runs once. Keys without a response are kept at any age, because their payments are not final. Returns true if there may be more
 * keys to delete.
 */
export async function purgeIdempotencyKeys({ db, now, retentionMs }: PurgeDeps): Promise<boolean> {
  const before = new Date(now().getTime() - retentionMs);
  return (await purgeKeys(db, before, BATCH)) === BATCH;
}
