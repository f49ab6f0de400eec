/** Reads an account's balance: the current one from `balances`, or that of a past moment, summed from its entries. */
import { type AccountSums, findBalance } from '../store/balances.ts';
import { sumBefore } from '../store/hourly-totals.ts';
import { type AccessDeps, requireVisible, type VerifiedCall } from './account-access.ts';

export interface BalanceAt extends AccountSums {
  at: Date;
}

/**
 * Throws ACCOUNT_NOT_FOUND. An account without postings has balance 0.
 *
 * A past moment is compared with the time of the events, so an event that is consumed late counts when it happened. The balance
 * of a past moment is final once the ledger has consumed all events up to it.
 */
export async function getAccountBalance(
  deps: AccessDeps & { now: () => Date },
  call: VerifiedCall,
  { accountId, at }: { accountId: string; at: Date | undefined },
): Promise<BalanceAt> {
  await requireVisible(deps, call, accountId);
  if (at !== undefined) return { ...(await sumBefore(deps.db, accountId, justAfter(at))), at };
  const stored = (await findBalance(deps.db, accountId)) ?? { postedMinor: 0n, pendingMinor: 0n };
  return { ...stored, at: deps.now() };
}

/** Event times are whole milliseconds. So "before the returned time" includes the given moment. */
function justAfter(moment: Date): Date {
  return new Date(moment.getTime() + 1);
}
