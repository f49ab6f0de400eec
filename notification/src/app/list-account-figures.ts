/** The number of notifications of each account, for reconciliation: pages by account id. */
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
  // Reads one row more than the page size. If it exists, there is another page. If ids are given, accounts without notifications
  // are left out.
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
