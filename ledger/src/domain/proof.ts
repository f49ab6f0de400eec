/** The proof of balances: the journal summed again, and compared with every other record of a balance. */
import { type Balance, byAccount } from './balances.ts';

/** The balances of one account in the authorization service. */
export interface AuthorizedBalance {
  accountId: string;
  currency: string;
  postedMinor: bigint;
  heldMinor: bigint;
}

/** All records of an account's balance. A record that is missing counts as 0. */
export interface ComparedAccount {
  /** Summed from the journal. */
  folded: Balance;
  /** The ledger's stored balance. */
  stored: Balance;
  /** The number of hours whose stored total differs from the journal. */
  wrongHourCount: bigint;
  authorized: Figures;
  /** False if only authorization knows the account. */
  isInLedger: boolean;
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

/** `unsettled`: accounts differ, and an event about each of them may be on its way. */
export type Verdict = 'holds' | 'unsettled' | 'broken';

/**
 * The journal, its seal and the stored balances are of one moment, so a contradiction between them is always a fault. Two services
 * differ while events are on their way.
 */
export function verdictOf({
  isConsistent,
  differenceCount,
  differences,
}: {
  isConsistent: boolean;
  differenceCount: bigint;
  differences: readonly { isSettled: boolean }[];
}): Verdict {
  if (!isConsistent || differences.some(({ isSettled }) => isSettled)) return 'broken';
  return differenceCount === 0n ? 'holds' : 'unsettled';
}

/** The result of comparing every account. */
export interface AccountsProof {
  /** One line per currency. By double entry every sum is 0. */
  trialBalances: TrialBalance[];
  /** Accounts whose stored balance, or stored total of an hour, differs from the journal. */
  staleBalanceCount: bigint;
  /** Sorted by account id, at most `MAX_DIFFERENCES`. */
  differences: BalanceDifference[];
  differenceCount: bigint;
  accountCount: bigint;
}

/** A proof keeps at most so many differences in memory, and compares these accounts again. All are counted. */
export const MAX_DIFFERENCES = 10_000;

/**
 * Receives each account once, in any order. Its memory grows neither with the accounts nor with the differences. An account that
 * one side does not know counts there as empty, so an unused account is no difference.
 */
export function accountsProof() {
  const byCurrency = new Map<string, TrialBalance>();
  let differing: BalanceDifference[] = [];
  let differenceCount = 0n;
  let staleBalanceCount = 0n;
  let accountCount = 0n;

  function addDifference({ folded, authorized }: ComparedAccount): void {
    differenceCount += 1n;
    differing.push({
      accountId: folded.accountId,
      currency: folded.currency,
      ledgerPostedMinor: folded.postedMinor,
      authorizationPostedMinor: authorized.postedMinor,
      ledgerHeldMinor: folded.heldMinor,
      authorizationHeldMinor: authorized.heldMinor,
    });
    if (differing.length >= 2 * MAX_DIFFERENCES) differing = firstOf(differing);
  }

  return {
    add(account: ComparedAccount): void {
      accountCount += 1n;
      if (account.isInLedger) addToTrial(byCurrency, account.folded);
      if (isStale(account)) staleBalanceCount += 1n;
      if (!agrees(account)) addDifference(account);
    },
    /** Call it after the last account. */
    finish(): AccountsProof {
      return {
        trialBalances: [...byCurrency.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1)),
        staleBalanceCount,
        differences: firstOf(differing),
        differenceCount,
        accountCount,
      };
    },
  };
}

type Figures = Pick<Balance, 'postedMinor' | 'heldMinor'>;

function firstOf(differences: readonly BalanceDifference[]): BalanceDifference[] {
  return differences.toSorted(byAccount).slice(0, MAX_DIFFERENCES);
}

function agrees({ folded, authorized }: ComparedAccount): boolean {
  return folded.postedMinor === authorized.postedMinor && folded.heldMinor === authorized.heldMinor;
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

function isStale({ folded, stored, wrongHourCount }: ComparedAccount): boolean {
  return (
    folded.postedMinor !== stored.postedMinor ||
    folded.pendingMinor !== stored.pendingMinor ||
    folded.heldMinor !== stored.heldMinor ||
    wrongHourCount !== 0n
  );
}
