import { describe, expect, it } from 'vitest';
import type { Balance } from './balances.ts';
import { type AuthorizedBalance, accountsProof, type FoldedAccount, isBalanced } from './proof.ts';

const ledger = (accountId: string, postedMinor: bigint, heldMinor = 0n) => ({
  accountId,
  currency: 'EUR',
  postedMinor,
  pendingMinor: -heldMinor,
  heldMinor,
});
const authorization = (accountId: string, postedMinor: bigint, heldMinor = 0n) => ({
  accountId,
  currency: 'EUR',
  postedMinor,
  heldMinor,
});

const asStored = (folded: Balance): FoldedAccount => ({ folded, stored: folded, wrongHourCount: 0n });

function prove(ledgers: readonly FoldedAccount[], authorized: readonly AuthorizedBalance[] = []) {
  const proof = accountsProof();
  for (const balance of authorized) proof.addAuthorized(balance);
  for (const account of ledgers) proof.addFolded(account);
  return proof.finish();
}

describe('the proof', () => {
  it('finds a difference of one minor unit and names the account', () => {
    const comparison = prove(
      [asStored(ledger('acct_a', 500n)), asStored(ledger('acct_b', -500n))],
      [authorization('acct_a', 501n), authorization('acct_b', -500n)],
    );
    expect(comparison).toMatchObject({ differenceCount: 1n, accountCount: 2n });
    expect(comparison.differences).toMatchObject([
      { accountId: 'acct_a', ledgerPostedMinor: 500n, authorizationPostedMinor: 501n },
    ]);
  });

  it('compares the amounts on hold too', () => {
    const { differences } = prove([asStored(ledger('acct_a', 5n, 2n))], [authorization('acct_a', 5n, 3n)]);
    expect(differences).toMatchObject([{ ledgerHeldMinor: 2n, authorizationHeldMinor: 3n }]);
  });

  it('treats an account that one side does not know as empty there', () => {
    const unused = prove([], [authorization('acct_unused', 0n)]);
    expect(unused).toMatchObject({ differenceCount: 0n, accountCount: 1n });
    const unknown = prove([asStored(ledger('acct_a', 1n))]);
    expect(unknown.differences).toMatchObject([{ accountId: 'acct_a', authorizationPostedMinor: 0n }]);
  });

  it('lists at most 100 differences but counts them all', () => {
    const accounts = Array.from({ length: 250 }, (_, index) => asStored(ledger(`acct_${index}`, 1n)));
    const { differences, differenceCount } = prove(accounts);
    expect(differences).toHaveLength(100);
    expect(differenceCount).toBe(250n);
  });

  it('sums each currency separately', () => {
    const dollars = { ...ledger('acct_c', 7n), currency: 'USD' };
    const accounts = [dollars, ledger('acct_a', 5n), ledger('acct_b', -5n)].map(asStored);
    const [eur, usd] = prove(accounts).trialBalances;
    expect(eur).toMatchObject({ currency: 'EUR', postedSumMinor: 0n, accountCount: 2n });
    expect(usd).toMatchObject({ currency: 'USD', postedSumMinor: 7n });
    expect([eur, usd].map((line) => line && isBalanced(line))).toEqual([true, false]);
  });

  it('counts an account whose stored balance or hours differ from the journal', () => {
    const folded = ledger('acct_a', 5n);
    const right = asStored(folded);
    const staleIn = (account: FoldedAccount) => prove([account]).staleBalanceCount;
    expect(staleIn(right)).toBe(0n);
    expect(staleIn({ ...right, stored: { ...folded, pendingMinor: 1n } })).toBe(1n);
    expect(staleIn({ ...right, wrongHourCount: 2n })).toBe(1n);
  });
});
