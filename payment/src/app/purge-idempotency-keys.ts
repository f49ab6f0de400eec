/** Forgets idempotency keys after their time, a few at once, so that the table stays as large as a day's work. */
import { type Logger, type Repetition, repeat } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { purgeKeys } from '../store/idempotency-keys.ts';

export interface PurgeDeps {
  db: Kysely<Database>;
  log: Logger;
  now(): Date;
  /** How long an answered key is kept; the public contract promises 24 hours. */
  retentionMs: number;
}

const BATCH = 1_000;

export function startPurge(deps: PurgeDeps, everyMs: number): Repetition {
  return repeat('the purge of idempotency keys', everyMs, () => purgeIdempotencyKeys(deps), deps.log);
}

/** One round. Keys without an answer are kept, however old: their payments are not final. Returns whether there may be more. */
export async function purgeIdempotencyKeys({ db, now, retentionMs }: PurgeDeps): Promise<boolean> {
  const before = new Date(now().getTime() - retentionMs);
  return (await purgeKeys(db, before, BATCH)) === BATCH;
}
