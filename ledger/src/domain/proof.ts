/** The proof: the journal folded anew, held against everything else that claims to know a balance. */
import { type Balance, byAccount } from './balances.ts';

/** What the authorization service says about one account. */
export interface AuthorizedBalance {
  accountId: string;
  currency: string;
  postedMinor: bigint;
  heldMinor: bigint;
}

/** An account in the fold of the journal, and the balance that is kept for it; either may be missing. */
export interface FoldedAccount {
  folded: Balance;
  kept: Balance;
  /** Hours whose kept totals are not what the journal folds to. */
  wrongHourCount: bigint;
}

export interface TrialBalance {
  currency: string;
  postedSumMinor: bigint;
  pendingSumMinor: bigint;
  accountCount: bigint;
}

export interface BalanceDifference {
  accountId: string;
  currency: string;
  ledgerPostedMinor: bigint;
  authorizationPostedMinor: bigint;
  ledgerHeldMinor: bigint;
  authorizationHeldMinor: bigint;
}

export interface Comparison {
  /** By account id, the first `MAX_LISTED`. */
  differences: BalanceDifference[];
  differenceCount: bigint;
  accountCount: bigint;
}

const MAX_LISTED = 100;

/** One line a currency: by double entry every sum is 0. */
export function trialBalances(accounts: Iterable<Balance>): TrialBalance[] {
  const byCurrency = new Map<string, TrialBalance>();
  for (const { currency, postedMinor, pendingMinor } of accounts) {
    const line = byCurrency.get(currency) ?? {
      currency,
      postedSumMinor: 0n,
      pendingSumMinor: 0n,
      accountCount: 0n,
    };
    line.postedSumMinor += postedMinor;
    line.pendingSumMinor += pendingMinor;
    line.accountCount += 1n;
    byCurrency.set(currency, line);
  }
  return [...byCurrency.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1));
}

export function isBalanced({ postedSumMinor, pendingSumMinor }: TrialBalance): boolean {
  return postedSumMinor === 0n && pendingSumMinor === 0n;
}

/** How many accounts have a kept balance, or kept totals of an hour, that are not what the journal folds to. */
export function countStale(accounts: Iterable<FoldedAccount>): bigint {
  let count = 0n;
  for (const { folded, kept, wrongHourCount } of accounts) {
    const same =
      folded.postedMinor === kept.postedMinor &&
      folded.pendingMinor === kept.pendingMinor &&
      folded.heldMinor === kept.heldMinor &&
      wrongHourCount === 0n;
    if (!same) count += 1n;
  }
  return count;
}

/** Account by account. One that either side does not know counts there as empty: an account nobody used yet is no difference. */
export function compareBalances(
  ledger: Iterable<Balance>,
  authorization: Iterable<AuthorizedBalance>,
): Comparison {
  const lines = new Map<string, BalanceDifference>();
  const lineOf = ({ accountId, currency }: { accountId: string; currency: string }): BalanceDifference => {
    const key = `${accountId} ${currency}`;
    const known = lines.get(key);
    if (known) return known;
    const line = { ...NOTHING, accountId, currency };
    lines.set(key, line);
    return line;
  };
  for (const balance of ledger) {
    const line = lineOf(balance);
    line.ledgerPostedMinor = balance.postedMinor;
    line.ledgerHeldMinor = balance.heldMinor;
  }
  for (const balance of authorization) {
    const line = lineOf(balance);
    line.authorizationPostedMinor = balance.postedMinor;
    line.authorizationHeldMinor = balance.heldMinor;
  }
  const differing = [...lines.values()].filter(differs).sort(byAccount);
  return {
    differences: differing.slice(0, MAX_LISTED),
    differenceCount: BigInt(differing.length),
    accountCount: BigInt(lines.size),
  };
}

const NOTHING = {
  ledgerPostedMinor: 0n,
  authorizationPostedMinor: 0n,
  ledgerHeldMinor: 0n,
  authorizationHeldMinor: 0n,
};

function differs(line: BalanceDifference): boolean {
  return (
    line.ledgerPostedMinor !== line.authorizationPostedMinor ||
    line.ledgerHeldMinor !== line.authorizationHeldMinor
  );
}
