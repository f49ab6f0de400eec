/** Account figures computed from payments, for reconciliation: pages by account id and currency. */
import { CallError, cutPage, decodePageToken, encodePageToken, newId, pageSizeOf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { Type } from 'typebox';
import {
  type AccountFigures,
  findSnapshot,
  foldFigures,
  readSnapshot,
  type Snapshot,
  takeSnapshot,
} from '../store/account-figures.ts';
import type { Database } from '../store/database.ts';

export type { AccountFigures };

export interface Page {
  accounts: AccountFigures[];
  /** Empty on the last page. */
  nextPageToken: string;
}

interface Deps {
  db: Kysely<Database>;
}

const PAGE = 1_000;

/**
 * If no ids are given, all pages show the accounts at the moment of the first page. Figures of given ids are current.
 *
 * Throws INVALID_PAGE_TOKEN, also if the snapshot of the page token is deleted.
 */
export function listAccountFigures(
  deps: Deps,
  request: { pageSize: number; pageToken: string; accountIds: readonly string[] },
): Promise<Page> {
  const limit = pageSizeOf(request.pageSize, { standard: PAGE, max: PAGE });
  const { pageToken, accountIds } = request;
  return accountIds.length > 0
    ? listNamed(deps, accountIds, pageToken, limit)
    : listAll(deps, pageToken, limit);
}

const SnapshotToken = Type.Object({ snapshot: Type.String(), position: Type.Integer({ minimum: 0 }) });

async function listAll({ db }: Deps, pageToken: string, limit: number): Promise<Page> {
  const token = decodePageToken(pageToken, SnapshotToken);
  const snapshot = token ? await requireSnapshot(db, token.snapshot) : await takeSnapshot(db, newId('fig'));
  const position = token?.position ?? 0;
  const accounts = await readSnapshot(db, snapshot, position, limit);
  const next = position + accounts.length;
  if (next >= snapshot.lineCount) return { accounts, nextPageToken: '' };
  return { accounts, nextPageToken: encodePageToken({ snapshot: snapshot.id, position: next }) };
}

/** Throws if the snapshot is deleted. An empty page would mean that the accounts have no payments. */
async function requireSnapshot(db: Kysely<Database>, id: string): Promise<Snapshot> {
  const snapshot = await findSnapshot(db, id);
  if (snapshot) return snapshot;
  throw new CallError('INVALID_PAGE_TOKEN', 'The snapshot of this page token is deleted.', {
    violations: [{ field: 'page_token', description: 'belongs to a list that was started too long ago' }],
  });
}

const Position = Type.Object({ after: Type.String() });

async function listNamed(
  { db }: Deps,
  accountIds: readonly string[],
  pageToken: string,
  limit: number,
): Promise<Page> {
  const after = decodePageToken(pageToken, Position)?.after ?? '';
  const left = [...new Set(accountIds)].filter((id) => id > after).sort();
  const { rows, nextPageToken } = cutPage(left, limit, (last) => ({ after: last }));
  return { accounts: rows.length > 0 ? await foldFigures(db, rows) : [], nextPageToken };
}
