/** The proof of balances: the journal summed again, and compared with every other record of a balance. */
import { type Balance, byAccount } from './balances.ts';

/** The balances of one account in the authorization service. */
export interface AuthorizedBalance {
  accountId: string;
  currency: string;
  postedMinor: bigint;
  heldMinor: bigint;
}

/** An account's balance summed from the journal, and its stored balance. Either may be missing. */
export interface FoldedAccount {
  folded: Balance;
  stored: Balance;
  /** The number of hours whose stored total differs from the journal. */
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

/** The result of comparing every account. */
export interface AccountsProof {
  /** One line per currency. By double entry every sum is 0. */
  trialBalances: TrialBalance[];
  /** Accounts whose stored balance, or stored total of an hour, differs from the journal. */
  staleBalanceCount: bigint;
  /** Sorted by account id, at most `MAX_LISTED`. */
  differences: BalanceDifference[];
  differenceCount: bigint;
  accountCount: bigint;
}

const MAX_LISTED = 100;

/**
 * First receives authorization's balances, then the ledger's accounts, each once. Only authorization's stay in memory. An
 * account that one side does not know counts there as empty, so an unused account is no difference.
 */
export function accountsProof() {
  // By currency, then by account: with a million accounts, the memory for each of them matters.
  const unmatched = new Map<string, Map<string, Figures>>();
  const byCurrency = new Map<string, TrialBalance>();
  const differing: BalanceDifference[] = [];
  let staleBalanceCount = 0n;
  let accountCount = 0n;

  function compare(key: Pick<Balance, 'accountId' | 'currency'>, ledger: Figures, authorized: Figures): void {
    accountCount += 1n;
    if (ledger.postedMinor === authorized.postedMinor && ledger.heldMinor === authorized.heldMinor) return;
    differing.push({
      accountId: key.accountId,
      currency: key.currency,
      ledgerPostedMinor: ledger.postedMinor,
      authorizationPostedMinor: authorized.postedMinor,
      ledgerHeldMinor: ledger.heldMinor,
      authorizationHeldMinor: authorized.heldMinor,
    });
  }

  return {
    addAuthorized({ accountId, currency, postedMinor, heldMinor }: AuthorizedBalance): void {
      const ofCurrency = unmatched.get(currency) ?? new Map<string, Figures>();
      unmatched.set(currency, ofCurrency.set(accountId, { postedMinor, heldMinor }));
    },
    addFolded(account: FoldedAccount): void {
      const { folded } = account;
      addToTrial(byCurrency, folded);
      if (isStale(account)) staleBalanceCount += 1n;
      const ofCurrency = unmatched.get(folded.currency);
      compare(folded, folded, ofCurrency?.get(folded.accountId) ?? NOTHING);
      ofCurrency?.delete(folded.accountId);
    },
    /** Call it after the last account. */
    finish(): AccountsProof {
      for (const [currency, ofCurrency] of unmatched)
        for (const [accountId, figures] of ofCurrency) compare({ accountId, currency }, NOTHING, figures);
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

const NOTHING: Figures = { postedMinor: 0n, heldMinor: 0n };

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

function isStale({ folded, stored, wrongHourCount }: FoldedAccount): boolean {
  return (
    folded.postedMinor !== stored.postedMinor ||
    folded.pendingMinor !== stored.pendingMinor ||
    folded.heldMinor !== stored.heldMinor ||
    wrongHourCount !== 0n
  );
}
