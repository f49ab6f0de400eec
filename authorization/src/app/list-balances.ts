/** Lists the balances of all accounts for the ledger's proof and for reconciliations, or those of some accounts. */
import { cutPage, decodePageToken, type Page, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import { type BalanceLine, listBalances as selectBalances } from '../store/balances.ts';
import type { Database } from '../store/database.ts';

/** The content of a page token: the account of the last row of the page. */
const Position = Type.Object({ id: Type.String() });

export async function listBalances(
  { db }: { db: Kysely<Database> },
  { pageSize, pageToken, accountIds }: { pageSize: number; pageToken: string; accountIds: readonly string[] },
): Promise<Page<BalanceLine>> {
  const after = decodePageToken(pageToken, Position)?.id ?? '';
  const limit = pageSizeOf(pageSize, { standard: 1000, max: 5000 });
  const found = await selectBalances(db, { after, only: accountIds, limit: limit + 1 });
  return cutPage(found, limit, ({ accountId }) => ({ id: accountId }));
}
