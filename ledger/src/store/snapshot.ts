/** Reads that need one consistent snapshot. */
import type { Kysely, Transaction } from 'kysely';
import type { Database } from './database.ts';

/** Runs `work` in a read-only transaction on one snapshot of the database. */
export function atOneMoment<T>(
  db: Kysely<Database>,
  work: (snapshot: Transaction<Database>) => Promise<T>,
): Promise<T> {
  return db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work);
}
