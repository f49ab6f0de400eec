/** Reads an account's balance: the one kept for now, or its entries summed up to a moment. */
import { type AccountSums, findBalance } from '../store/balances.ts';
import { sumBefore } from '../store/hourly-totals.ts';
import { type AccessDeps, requireVisible, type Viewer } from './account-access.ts';

export interface BalanceAt extends AccountSums {
  at: Date;
}

/**
 * Throws ACCOUNT_NOT_FOUND. An account that nothing was posted to yet has 0. Up to a moment means by the time of the events: one
 * that is consumed late counts where it happened, so the balance of a past moment is final once all its events are here.
 */
export async function getAccountBalance(
  deps: AccessDeps & { now: () => Date },
  viewer: Viewer,
  { accountId, at }: { accountId: string; at: Date | undefined },
): Promise<BalanceAt> {
  await requireVisible(deps, viewer, accountId);
  if (at !== undefined) return { ...(await sumBefore(deps.db, accountId, justAfter(at))), at };
  const kept = (await findBalance(deps.db, accountId)) ?? { postedMinor: 0n, pendingMinor: 0n };
  return { ...kept, at: deps.now() };
}

/** Times of events are whole milliseconds: before this one is up to and including the moment. */
function justAfter(moment: Date): Date {
  return new Date(moment.getTime() + 1);
}
