/** Reads the ledger's own stored balances for a reconciliation. The proof checks that they match the journal. */
import { type Kysely, sql } from 'kysely';
import type { FigureLine } from '../domain/reconciliation.ts';
import type { ReconciliationDatabase } from './database.ts';

const PAGE = 1_000;

/** By account id and currency: all balances, or those of these accounts. */
export async function* storedBalances(
  db: Kysely<ReconciliationDatabase>,
  accountIds: readonly string[] | undefined,
): AsyncGenerator<FigureLine> {
  let after = { account_id: '', currency: '' };
  for (;;) {
    const rows = await selectAfter(db, after, accountIds);
    for (const row of rows) {
      const figures = { posted: row.posted_minor, held: row.held_minor };
      yield { accountId: row.account_id, currency: row.currency, figures };
    }
    if (rows.length < PAGE) return;
    after = rows.at(-1) ?? after;
  }
}

function selectAfter(
  db: Kysely<ReconciliationDatabase>,
  after: { account_id: string; currency: string },
  accountIds: readonly string[] | undefined,
) {
  return db
    .selectFrom('balances')
    .select(['account_id', 'currency', 'posted_minor', 'held_minor'])
    .where(sql<boolean>`(account_id, currency) > (${after.account_id}, ${after.currency})`)
    .$if(accountIds !== undefined, (query) =>
      query.where('account_id', '=', sql<string>`any(${[...(accountIds ?? [])]}::text[])`),
    )
    .orderBy('account_id')
    .orderBy('currency')
    .limit(PAGE)
    .execute();
}
