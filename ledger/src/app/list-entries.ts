/** Lists entries, newest first by the time of their events. */
import { cutPage, decodePageToken, pageSizeOf } from '@payflowx/chassis';
import { type Static, Type } from 'typebox';
import type { Entry } from '../domain/journal.ts';
import { type EntryFilter, listEntries as selectEntries } from '../store/entries.ts';
import { type AccessDeps, type VerifiedCall, visibleAccountIds } from './account-access.ts';

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
  call: VerifiedCall,
  { pageSize, pageToken, accountId, ...filter }: EntriesQuery,
): Promise<{ entries: Entry[]; nextPageToken: string }> {
  const limit = pageSizeOf(pageSize);
  const position = decodePageToken(pageToken, Position);
  const before = position && { ...position, createdAt: new Date(position.createdAtMs) };
  const accountIds = await visibleAccountIds(deps, call, accountId);
  const found = await selectEntries(deps.db, { ...filter, accountIds, before }, limit + 1);
  const { rows, nextPageToken } = cutPage(found, limit, positionOf);
  return { entries: rows, nextPageToken };
}

function positionOf({ createdAt, transactionId, number, direction }: Entry): Static<typeof Position> {
  return { createdAtMs: createdAt.getTime(), transactionId, number, direction };
}
