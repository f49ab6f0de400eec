/** How much every account was told: pages by account id, for a reconciliation to read. */
import { decodePageToken, encodePageToken, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { type AccountFigures, countAccounts, countAccountsAfter } from '../store/account-figures.ts';
import type { Database } from '../store/database.ts';

const Position = Type.Object({ after: Type.String() });
const PAGE = 1_000;

/** Throws INVALID_PAGE_TOKEN. */
export async function listAccountFigures(
  { db }: { db: Kysely<Database> },
  { pageSize, pageToken, accountIds }: { pageSize: number; pageToken: string; accountIds: readonly string[] },
): Promise<{ accounts: AccountFigures[]; nextPageToken: string }> {
  const limit = pageSizeOf(pageSize, { standard: PAGE, max: PAGE });
  const after = decodePageToken(pageToken, Position)?.after ?? '';
  // One more than asked for says whether another page follows; of named accounts only those that were told anything count.
  const found =
    accountIds.length > 0
      ? await countAccounts(db, sortedAfter(accountIds, after))
      : await countAccountsAfter(db, after, limit + 1);
  const accounts = found.slice(0, limit);
  const last = accounts.at(-1);
  return {
    accounts,
    nextPageToken: found.length > limit && last ? encodePageToken({ after: last.accountId }) : '',
  };
}

function sortedAfter(accountIds: readonly string[], after: string): string[] {
  return [...new Set(accountIds)].filter((id) => id > after).sort();
}
