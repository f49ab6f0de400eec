/** Lists the amounts that each account sent and received, by account id, for a reconciliation. */
import { decodePageToken, encodePageToken, pageSizeOf } from '@payflowx/chassis';
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
  // One account more than the page size shows that there is a next page.
  const found = await listFiguresAfter(db, after, accountIds, limit + 1);
  const accounts = found.slice(0, limit);
  const last = accounts.at(-1);
  return {
    accounts,
    nextPageToken: found.length > limit && last ? encodePageToken({ after: last.accountId }) : '',
  };
}
