/** Whose accounts a caller may look at. Who owns what is known to the authorization service; it is asked in the caller's own name. */
import type { Caller } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Accounts, Asker } from '../clients/accounts.ts';
import { LedgerError } from '../domain/errors.ts';
import type { JournalTransaction } from '../domain/journal.ts';
import { findBalance } from '../store/balances.ts';
import type { Database } from '../store/database.ts';

export interface Viewer extends Asker {
  caller: Caller;
}

export interface AccessDeps {
  db: Kysely<Database>;
  accounts: Accounts;
}

/** Operators and auditors read all there is. */
export function seesEverything({ caller }: Viewer): boolean {
  return caller.roles.includes('operator') || caller.roles.includes('auditor');
}

/** Throws ACCOUNT_NOT_FOUND for an account that is not there and for one that is somebody else's: they look the same. */
export async function requireVisible(
  { db, accounts }: AccessDeps,
  viewer: Viewer,
  accountId: string,
): Promise<void> {
  // An account with entries surely exists; so those who read everything can, while the authorization service is away.
  if (seesEverything(viewer) && (await findBalance(db, accountId))) return;
  if (await accounts.isVisible(viewer, accountId)) return;
  throw new LedgerError('ACCOUNT_NOT_FOUND', 'There is no such account.');
}

/** Whether one of the accounts in the transactions may be looked at: then they may be seen whole. */
export async function seesOneOf(
  { accounts }: AccessDeps,
  viewer: Viewer,
  transactions: readonly JournalTransaction[],
): Promise<boolean> {
  if (seesEverything(viewer)) return true;
  const postings = transactions.flatMap((transaction) => transaction.postings);
  const involved = new Set(
    postings.flatMap(({ debitAccount, creditAccount }) => [debitAccount, creditAccount]),
  );
  for (const accountId of involved) {
    if (await accounts.isVisible(viewer, accountId)) return true;
  }
  return false;
}

/** The accounts whose entries the viewer may list: the one asked for, all of its own, or undefined for everybody's. */
export async function accountsInSight(
  deps: AccessDeps,
  viewer: Viewer,
  accountId: string | undefined,
): Promise<string[] | undefined> {
  if (accountId !== undefined) {
    await requireVisible(deps, viewer, accountId);
    return [accountId];
  }
  return seesEverything(viewer) ? undefined : deps.accounts.listOwn(viewer);
}
