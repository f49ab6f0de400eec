/** Sums transactions to balances, account by account. */
import type { JournalTransaction, Posting } from './journal.ts';

export interface Balance {
  accountId: string;
  /** ISO 4217. */
  currency: string;
  /** Credits minus debits of the posted layer. */
  postedMinor: bigint;
  /** Credits minus debits of the pending layer. */
  pendingMinor: bigint;
  /** The account's own money on hold: holds debit it and releases credit it. Holds in favour of the account do not count. */
  heldMinor: bigint;
}

/** The change of each balance, sorted by account id. Rows are locked in this order. */
export function balanceChanges(transactions: Iterable<JournalTransaction>): Balance[] {
  const changes = new Map<string, Balance>();
  const changeOf = (accountId: string, currency: string): Balance => {
    const key = `${accountId} ${currency}`;
    const known = changes.get(key);
    if (known) return known;
    const change = { accountId, currency, postedMinor: 0n, pendingMinor: 0n, heldMinor: 0n };
    changes.set(key, change);
    return change;
  };
  for (const { postings } of transactions) {
    for (const posting of postings) {
      debit(changeOf(posting.debitAccount, posting.currency), posting);
      credit(changeOf(posting.creditAccount, posting.currency), posting);
    }
  }
  return [...changes.values()].sort(byAccount);
}

function debit(balance: Balance, { kind, amountMinor }: Posting): void {
  if (kind === 'transfer') balance.postedMinor -= amountMinor;
  else balance.pendingMinor -= amountMinor;
  if (kind === 'hold') balance.heldMinor += amountMinor;
}

function credit(balance: Balance, { kind, amountMinor }: Posting): void {
  if (kind === 'transfer') balance.postedMinor += amountMinor;
  else balance.pendingMinor += amountMinor;
  if (kind === 'release') balance.heldMinor -= amountMinor;
}

type Key = Pick<Balance, 'accountId' | 'currency'>;

/** Bytewise, as the database sorts. */
export function byAccount(a: Key, b: Key): number {
  if (a.accountId !== b.accountId) return a.accountId < b.accountId ? -1 : 1;
  if (a.currency !== b.currency) return a.currency < b.currency ? -1 : 1;
  return 0;
}
