/** Reads accounts for callers who may see them. */
import type { Caller, RoleName } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { AccountRecord } from '../domain/account.ts';
import { AuthorizationError } from '../domain/errors.ts';
import { isId } from '../domain/ids.ts';
import { findAccount, listAccounts } from '../store/accounts.ts';
import type { Database } from '../store/database.ts';

interface ReadDeps {
  db: Kysely<Database>;
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

/** Lists the accounts that the caller may see, newest first. */
export async function readAccounts(
  { db }: ReadDeps,
  caller: Caller,
  page: { before: string | undefined; limit: number },
): Promise<AccountRecord[]> {
  return listAccounts(db, { ...page, ownerId: seesAll(caller) ? undefined : caller.id });
}

const READERS_OF_ALL: ReadonlySet<RoleName> = new Set(['operator', 'auditor', 'service']);

function seesAll({ roles }: Caller): boolean {
  return roles.some((role) => READERS_OF_ALL.has(role));
}
