/** Reads what one account sent and received. */
import type { Kysely } from 'kysely';
import type { Accounts, Asker } from '../clients/accounts.ts';
import { AnalyticsError } from '../domain/errors.ts';
import { type AccountTotals, NO_ACCOUNT_TOTALS } from '../domain/totals.ts';
import { findAccountTotals } from '../store/account-totals.ts';
import type { Database } from '../store/database.ts';

/**
 * Whether the caller may look at the account is the authorization service's to say, in the caller's own name.
 * Throws ACCOUNT_NOT_FOUND for an account that is not there and for one that is somebody else's: they look the same.
 */
export async function getAccountTotals(
  { db, accounts }: { db: Kysely<Database>; accounts: Accounts },
  asker: Asker,
  accountId: string,
): Promise<AccountTotals & { currency: string }> {
  const account = await accounts.find(asker, accountId);
  if (!account) throw new AnalyticsError('ACCOUNT_NOT_FOUND', 'There is no such account.');
  const totals = (await findAccountTotals(db, accountId)) ?? { ...NO_ACCOUNT_TOTALS, accountId };
  return { ...totals, currency: account.currency };
}
