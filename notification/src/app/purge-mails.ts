/** Deletes old mails. The work on old ones that are still pending has ended long before. */
import { type Logger, type Repetition, repeat } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { deleteMailsBefore } from '../store/mails.ts';

const EVERY_MS = 60 * 60 * 1_000;
const MAILS_PER_ROUND = 1_000;

export interface PurgeDeps {
  db: Kysely<Database>;
  retentionMs: number;
  now(): Date;
  log: Logger;
}

export function startMailPurge(deps: PurgeDeps): Repetition {
  return repeat('the purge of mails', EVERY_MS, () => purgeMails(deps), deps.log);
}

/** Returns true if there are more. */
export async function purgeMails({ db, retentionMs, now }: Omit<PurgeDeps, 'log'>): Promise<boolean> {
  const before = new Date(now().getTime() - retentionMs);
  return (await deleteMailsBefore(db, before, MAILS_PER_ROUND)) === MAILS_PER_ROUND;
}
