/** Keeps and returns the result of the newest proof of any instance. */
import type { Kysely } from 'kysely';
import type { Database } from '../store/database.ts';
import { findLastProof, type ProofSummary } from '../store/last-proof.ts';

export { storeLastProof as keepLastProof } from '../store/last-proof.ts';
export type { ProofSummary };

/** Undefined if there was no proof yet. */
export function getLastProof({ db }: { db: Kysely<Database> }): Promise<ProofSummary | undefined> {
  return findLastProof(db);
}
