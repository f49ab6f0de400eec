/** Lists entries, newest first by the time of their events. */
import { decodePageToken, encodePageToken, pageSizeOf } from '@payflowx/chassis';
import { Type } from 'typebox';
import type { Entry } from '../domain/journal.ts';
import { type EntryFilter, listEntries as selectEntries } from '../store/entries.ts';
import { type AccessDeps, type Viewer, visibleAccountIds } from './account-access.ts';

export interface EntriesQuery extends Omit<EntryFilter, 'accountIds' | 'before'> {
  pageSize: number;
  /** Empty for the first page. */
  pageToken: string;
  accountId: string | undefined;
}

const Position = Type.Object({
  createdAtMs: Type.Integer(),
  transactionId: Type.String(),
  number: Type.Integer(),
  direction: Type.Union([Type.Literal('debit'), Type.Literal('credit')]),
});

export async function listEntries(
  deps: AccessDeps,
  viewer: Viewer,
  { pageSize, pageToken, accountId, ...filter }: EntriesQuery,
): Promise<{ entries: Entry[]; nextPageToken: string }> {
  const limit = pageSizeOf(pageSize);
  const position = decodePageToken(pageToken, Position);
  const before = position && { ...position, createdAt: new Date(position.createdAtMs) };
  const accountIds = await visibleAccountIds(deps, viewer, accountId);
  // One entry more than the page size shows that there is a next page.
  const found = await selectEntries(deps.db, { ...filter, accountIds, before }, limit + 1);
  const entries = found.slice(0, limit);
  const last = entries.at(-1);
  if (found.length <= limit || last === undefined) return { entries, nextPageToken: '' };
  const { createdAt, transactionId, number, direction } = last;
  const nextPageToken = encodePageToken({
    createdAtMs: createdAt.getTime(),
    transactionId,
    number,
    direction,
  });
  return { entries, nextPageToken };
}
