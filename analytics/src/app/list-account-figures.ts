/** Lists the amounts that each account sent and received, by account id, for a reconciliation. */
import { cutPage, decodePageToken, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { type AccountFigures, listFiguresAfter } from '../store/account-figures.ts';
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
  const found = await listFiguresAfter(db, after, accountIds, limit + 1);
  const { rows, nextPageToken } = cutPage(found, limit, ({ accountId }) => ({ after: accountId }));
  return { accounts: rows, nextPageToken };
}
