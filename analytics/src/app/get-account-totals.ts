/** Reads what one account sent and received. */
import type { OnBehalf } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import type { Accounts } from '../clients/accounts.ts';
import { AnalyticsError } from '../domain/errors.ts';
import { type AccountTotals, NO_ACCOUNT_TOTALS } from '../domain/totals.ts';
import { findAccountTotals } from '../store/account-totals.ts';
import type { Database } from '../store/database.ts';

/**
 * The authorization service decides if the caller may read the account; it is called in the caller's name.
 *
 * Throws ACCOUNT_NOT_FOUND if the account is missing or belongs to another customer: the caller cannot tell these cases apart.
 */
export async function getAccountTotals(
  { db, accounts }: { db: Kysely<Database>; accounts: Accounts },
  call: OnBehalf,
  accountId: string,
): Promise<AccountTotals & { currency: string }> {
  const account = await accounts.find(call, accountId);
  if (!account) throw new AnalyticsError('ACCOUNT_NOT_FOUND', 'There is no such account.');
  const totals = (await findAccountTotals(db, accountId)) ?? { ...NO_ACCOUNT_TOTALS, accountId };
  return { ...totals, currency: account.currency };
}
