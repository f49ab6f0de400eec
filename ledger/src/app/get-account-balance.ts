/** Reads an account's balance: the one kept for now, or its entries folded up to a moment. */
import { type AccountSums, findBalance, foldBalanceAt } from '../store/balances.ts';
import { type AccessDeps, requireVisible, type Viewer } from './account-access.ts';

export interface BalanceAt extends AccountSums {
  at: Date;
}

/** Throws ACCOUNT_NOT_FOUND. An account that nothing was posted to yet has 0. */
export async function getAccountBalance(
  deps: AccessDeps & { now: () => Date },
  viewer: Viewer,
  { accountId, at }: { accountId: string; at: Date | undefined },
): Promise<BalanceAt> {
  await requireVisible(deps, viewer, accountId);
  if (at !== undefined) return { ...(await foldBalanceAt(deps.db, accountId, at)), at };
  const kept = (await findBalance(deps.db, accountId)) ?? { postedMinor: 0n, pendingMinor: 0n };
  return { ...kept, at: deps.now() };
}
