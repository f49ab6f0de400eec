/** Reads and writes the table `last_proof`: the result of the newest proof of any instance. */
import { type Kysely, sql } from 'kysely';
import type { Verdict } from '../domain/proof.ts';
import type { Database } from './database.ts';

export interface ProofSummary {
  verdict: Verdict;
  differenceCount: bigint;
  accountCount: bigint;
  transactionCount: bigint;
  provedAt: Date;
}

/** An older proof of another instance, which took longer, does not replace a newer one. */
export async function storeLastProof(db: Kysely<Database>, proof: ProofSummary): Promise<void> {
  await db
    .insertInto('last_proof')
    .values({
      singleton: true,
      verdict: proof.verdict,
      difference_count: proof.differenceCount,
      account_count: proof.accountCount,
      transaction_count: proof.transactionCount,
      proved_at: proof.provedAt,
    })
    .onConflict((conflict) =>
      conflict
        .column('singleton')
        .doUpdateSet((row) => ({
          verdict: row.ref('excluded.verdict'),
          difference_count: row.ref('excluded.difference_count'),
          account_count: row.ref('excluded.account_count'),
          transaction_count: row.ref('excluded.transaction_count'),
          proved_at: row.ref('excluded.proved_at'),
        }))
        .where(sql<boolean>`excluded.proved_at >= last_proof.proved_at`),
    )
    .execute();
}

/** Undefined if there was no proof yet. */
export async function findLastProof(db: Kysely<Database>): Promise<ProofSummary | undefined> {
  const row = await db
    .selectFrom('last_proof')
    .select(['verdict', 'difference_count', 'account_count', 'transaction_count', 'proved_at'])
    .executeTakeFirst();
  return (
    row && {
      verdict: row.verdict,
      differenceCount: row.difference_count,
      accountCount: row.account_count,
      transactionCount: row.transaction_count,
      provedAt: row.proved_at,
    }
  );
}
