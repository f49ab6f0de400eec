/** How much every account was told: pages by account id, for a reconciliation to read. */
import { decodePageToken, encodePageToken, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { type AccountFigures, countByAccount, listAccountsAfter } from '../store/account-figures.ts';
import type { Database } from '../store/database.ts';

const Position = Type.Object({ after: Type.String() });
const PAGE = 1_000;

/** Each page is as of one moment, two pages are not. Throws INVALID_PAGE_TOKEN. */
export async function listAccountFigures(
  { db }: { db: Kysely<Database> },
  { pageSize, pageToken, accountIds }: { pageSize: number; pageToken: string; accountIds: readonly string[] },
): Promise<{ accounts: AccountFigures[]; nextPageToken: string }> {
  const limit = pageSizeOf(pageSize, { standard: PAGE, max: PAGE });
  const after = decodePageToken(pageToken, Position)?.after ?? '';
  // One more than asked for says whether another page follows.
  const found =
    accountIds.length > 0 ? sortedAfter(accountIds, after) : await listAccountsAfter(db, after, limit + 1);
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    accounts: page.length > 0 ? await countByAccount(db, page) : [],
    nextPageToken: found.length > limit && last !== undefined ? encodePageToken({ after: last }) : '',
  };
}

function sortedAfter(accountIds: readonly string[], after: string): string[] {
  return [...new Set(accountIds)].filter((id) => id > after).sort();
}
