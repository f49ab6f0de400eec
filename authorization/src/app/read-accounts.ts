/** Reads accounts for callers who may see them. */
import {
  type Caller,
  cutPage,
  decodePageToken,
  type Page,
  pageSizeOf,
  type RoleName,
} from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { type Static, Type } from 'typebox';
import type { AccountFilter, AccountRecord } from '../domain/account.ts';
import { AuthorizationError } from '../domain/errors.ts';
import { isId } from '../domain/ids.ts';
import { findAccount, listAccountIds, listAccounts } from '../store/accounts.ts';
import type { Database } from '../store/database.ts';

/** The content of a page token: the id of the last row of the page. */
const Position = Type.Object({ id: Type.String() });
const positionOf = ({ id }: Static<typeof Position>) => ({ id });

/** The page size of ListAccountIds: nearly every customer's accounts in one page. */
const MAX_IDS = 10_000;

interface ReadDeps {
  db: Kysely<Database>;
}

interface PageRequest {
  pageSize: number;
  pageToken: string;
}

/** Throws ACCOUNT_NOT_FOUND, also for an account of another owner: callers must not learn that it exists. */
export async function readAccount(
  { db }: ReadDeps,
  caller: Caller,
  accountId: string,
): Promise<AccountRecord> {
  const account = isId(accountId) ? await findAccount(db, accountId) : undefined;
  if (account === undefined || !(seesAll(caller) || account.ownerId === caller.id)) {
    throw new AuthorizationError('ACCOUNT_NOT_FOUND', 'There is no such account.');
  }
  return account;
}

/** Lists the accounts that the caller may see and that match the filter, newest first. */
export async function readAccounts(
  { db }: ReadDeps,
  caller: Caller,
  { filter, pageSize, pageToken }: PageRequest & { filter: AccountFilter },
): Promise<Page<AccountRecord>> {
  const before = decodePageToken(pageToken, Position)?.id;
  const limit = pageSizeOf(pageSize);
  // Of another owner's accounts, a customer sees none.
  const isOthers = !seesAll(caller) && filter.ownerId !== undefined && filter.ownerId !== caller.id;
  if (isOthers) return { rows: [], nextPageToken: '' };
  const visible = seesAll(caller) ? filter : { ...filter, ownerId: caller.id };
  return cutPage(await listAccounts(db, visible, { before, limit: limit + 1 }), limit, positionOf);
}

/** Lists the ids of the caller's own accounts, whatever its role. */
export async function readOwnAccountIds(
  { db }: ReadDeps,
  caller: Caller,
  { pageSize, pageToken }: PageRequest,
): Promise<Page<string>> {
  const before = decodePageToken(pageToken, Position)?.id;
  const limit = pageSizeOf(pageSize, { standard: MAX_IDS, max: MAX_IDS });
  const found = await listAccountIds(db, { ownerId: caller.id, before, limit: limit + 1 });
  return cutPage(found, limit, (id) => positionOf({ id }));
}

const READERS_OF_ALL: ReadonlySet<RoleName> = new Set(['operator', 'auditor']);

/** The access table lists the services that may read accounts. */
function seesAll({ roles, service }: Caller): boolean {
  return service !== undefined || roles.some((role) => READERS_OF_ALL.has(role));
}
