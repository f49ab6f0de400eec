/** Lists entries, newest first. */
import { decodePageToken, encodePageToken, pageSizeOf } from '@payflowx/chassis';
import { Type } from 'typebox';
import type { Entry, Layer } from '../domain/journal.ts';
import { listEntries as selectEntries } from '../store/entries.ts';
import { type AccessDeps, accountsInSight, type Viewer } from './account-access.ts';

export interface EntriesQuery {
  pageSize: number;
  /** Empty for the first page. */
  pageToken: string;
  accountId: string | undefined;
  paymentId: string | undefined;
  layer: Layer | undefined;
}

const Position = Type.Object({
  transactionId: Type.String(),
  number: Type.Integer({ minimum: 0, maximum: 32_767 }),
  direction: Type.Union([Type.Literal('debit'), Type.Literal('credit')]),
});

export async function listEntries(
  deps: AccessDeps,
  viewer: Viewer,
  { pageSize, pageToken, accountId, paymentId, layer }: EntriesQuery,
): Promise<{ entries: Entry[]; nextPageToken: string }> {
  const limit = pageSizeOf(pageSize);
  const before = decodePageToken(pageToken, Position);
  const accountIds = await accountsInSight(deps, viewer, accountId);
  // One more than asked for says whether there is a next page.
  const found = await selectEntries(deps.db, { accountIds, paymentId, layer, before }, limit + 1);
  const entries = found.slice(0, limit);
  const last = entries.at(-1);
  if (found.length <= limit || last === undefined) return { entries, nextPageToken: '' };
  const { transactionId, number, direction } = last;
  return { entries, nextPageToken: encodePageToken({ transactionId, number, direction }) };
}
