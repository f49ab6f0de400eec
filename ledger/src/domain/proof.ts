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

/** What holding every account against all that claims to know its balance came to. */
export interface AccountsProof {
  /** One line a currency: by double entry every sum is 0. */
  trialBalances: TrialBalance[];
  /** Accounts that have a kept balance, or kept totals of an hour, that are not what the journal folds to. */
  staleBalanceCount: bigint;
  /** By account id, the first `MAX_LISTED`. */
  differences: BalanceDifference[];
  differenceCount: bigint;
  accountCount: bigint;
}

const MAX_LISTED = 100;

/**
 * Takes the ledger's accounts one by one, each once, so that a million need no more memory than what authorization says of them.
 * One that either side does not know counts there as empty: an account nobody used yet is no difference.
 */
export function accountsProof(authorization: Iterable<AuthorizedBalance>) {
  const unmatched = new Map<string, AuthorizedBalance>();
  for (const balance of authorization) unmatched.set(keyOf(balance), balance);
  const byCurrency = new Map<string, TrialBalance>();
  const differing: BalanceDifference[] = [];
  let staleBalanceCount = 0n;
  let accountCount = 0n;

  function compare(ledger: Balance, authorized: Figures): void {
    accountCount += 1n;
    if (ledger.postedMinor === authorized.postedMinor && ledger.heldMinor === authorized.heldMinor) return;
    differing.push({
      accountId: ledger.accountId,
      currency: ledger.currency,
      ledgerPostedMinor: ledger.postedMinor,
      authorizationPostedMinor: authorized.postedMinor,
      ledgerHeldMinor: ledger.heldMinor,
      authorizationHeldMinor: authorized.heldMinor,
    });
  }

  return {
    add(account: FoldedAccount): void {
      const { folded } = account;
      addToTrial(byCurrency, folded);
      if (isStale(account)) staleBalanceCount += 1n;
      const key = keyOf(folded);
      compare(folded, unmatched.get(key) ?? NOTHING);
      unmatched.delete(key);
    },
    /** After the last account. */
    finish(): AccountsProof {
      for (const authorized of unmatched.values()) compare({ ...authorized, ...NOTHING }, authorized);
      unmatched.clear();
      return {
        trialBalances: [...byCurrency.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1)),
        staleBalanceCount,
        differences: differing.sort(byAccount).slice(0, MAX_LISTED),
        differenceCount: BigInt(differing.length),
        accountCount,
      };
    },
  };
}

type Figures = Pick<Balance, 'postedMinor' | 'heldMinor'>;

const NOTHING = { postedMinor: 0n, pendingMinor: 0n, heldMinor: 0n };

function keyOf({ accountId, currency }: Pick<Balance, 'accountId' | 'currency'>): string {
  return `${accountId} ${currency}`;
}

function addToTrial(
  byCurrency: Map<string, TrialBalance>,
  { currency, postedMinor, pendingMinor }: Balance,
): void {
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

export function isBalanced({ postedSumMinor, pendingSumMinor }: TrialBalance): boolean {
  return postedSumMinor === 0n && pendingSumMinor === 0n;
}

function isStale({ folded, kept, wrongHourCount }: FoldedAccount): boolean {
  return (
    folded.postedMinor !== kept.postedMinor ||
    folded.pendingMinor !== kept.pendingMinor ||
    folded.heldMinor !== kept.heldMinor ||
    wrongHourCount !== 0n
  );
}
