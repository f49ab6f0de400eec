/** Reads that must be of one moment. */
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './database.ts';

/** Runs `work` on one snapshot of the database, which it cannot change. */
export function atOneMoment<T>(
  db: Kysely<Database>,
  work: (snapshot: Transaction<Database>) => Promise<T>,
): Promise<T> {
  return db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work);
}
