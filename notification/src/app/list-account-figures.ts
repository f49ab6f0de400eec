/** The number of notifications of each account, for reconciliation: pages by account id. */
import { cutPage, decodePageToken, pageSizeOf } from '@payflowx/chassis';
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
  // If ids are given, accounts without notifications are left out.
  const found =
    accountIds.length > 0
      ? await countAccounts(db, sortedAfter(accountIds, after))
      : await countAccountsAfter(db, after, limit + 1);
  const { rows, nextPageToken } = cutPage(found, limit, ({ accountId }) => ({ after: accountId }));
  return { accounts: rows, nextPageToken };
}

function sortedAfter(accountIds: readonly string[], after: string): string[] {
  return [...new Set(accountIds)].filter((id) => id > after).sort();
}
