/**
 * Decides whose accounts a caller may read. The authorization service knows the owners; the ledger calls it with the caller's own
 * token.
 */
import type { Caller, OnBehalf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Accounts } from '../clients/accounts.ts';
import { LedgerError } from '../domain/errors.ts';
import type { JournalTransaction } from '../domain/journal.ts';
import { findBalance } from '../store/balances.ts';
import type { Database } from '../store/database.ts';

/** A call whose caller is known. */
export interface VerifiedCall extends OnBehalf {
  caller: Caller;
}

export interface AccessDeps {
  db: Kysely<Database>;
  accounts: Accounts;
}

/** Operators and auditors may read all accounts. */
function readsAllAccounts({ caller }: VerifiedCall): boolean {
  return caller.roles.includes('operator') || caller.roles.includes('auditor');
}

/**
 * Throws ACCOUNT_NOT_FOUND if the account is missing or belongs to another customer: the caller cannot tell these cases apart.
 */
export async function requireVisible(
  { db, accounts }: AccessDeps,
  call: VerifiedCall,
  accountId: string,
): Promise<void> {
  // An account with entries exists. So operators and auditors can read it while the authorization service is unavailable.
  if (readsAllAccounts(call) && (await findBalance(db, accountId))) return;
  if (await accounts.isVisible(call, accountId)) return;
  throw new LedgerError('ACCOUNT_NOT_FOUND', 'There is no such account.');
}

/** True if the caller may read at least one account in the transactions. That gives access to the whole transactions. */
export async function readsOneAccountOf(
  { accounts }: AccessDeps,
  call: VerifiedCall,
  transactions: readonly JournalTransaction[],
): Promise<boolean> {
  if (readsAllAccounts(call)) return true;
  const postings = transactions.flatMap((transaction) => transaction.postings);
  const involved = new Set(
    postings.flatMap(({ debitAccount, creditAccount }) => [debitAccount, creditAccount]),
  );
  for (const accountId of involved) {
    if (await accounts.isVisible(call, accountId)) return true;
  }
  return false;
}

/**
 * The accounts whose entries the caller may list: the requested one, or all of the caller's own. Undefined means all accounts.
 */
export async function visibleAccountIds(
  deps: AccessDeps,
  call: VerifiedCall,
  accountId: string | undefined,
): Promise<string[] | undefined> {
  if (accountId !== undefined) {
    await requireVisible(deps, call, accountId);
    return [accountId];
  }
  return readsAllAccounts(call) ? undefined : deps.accounts.listOwn(call);
}
