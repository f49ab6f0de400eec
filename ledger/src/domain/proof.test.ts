import { describe, expect, it } from 'vitest';
import type { Balance } from './balances.ts';
import { accountsProof, type ComparedAccount, isBalanced, MAX_DIFFERENCES, verdictOf } from './proof.ts';

const ledger = (accountId: string, postedMinor: bigint, heldMinor = 0n) => ({
  accountId,
  currency: 'EUR',
  postedMinor,
  pendingMinor: -heldMinor,
  heldMinor,
});
const authorization = (postedMinor: bigint, heldMinor = 0n) => ({ postedMinor, heldMinor });

const NONE = { postedMinor: 0n, heldMinor: 0n };

const asStored = (folded: Balance, authorized = NONE): ComparedAccount => ({
  folded,
  stored: folded,
  wrongHourCount: 0n,
  authorized,
  isInLedger: true,
});

function prove(accounts: readonly ComparedAccount[]) {
  const proof = accountsProof();
  for (const account of accounts) proof.add(account);
  return proof.finish();
}

describe('the proof', () => {
  it('finds a difference of one minor unit and names the account', () => {
    const comparison = prove([
      asStored(ledger('acct_a', 500n), authorization(501n)),
      asStored(ledger('acct_b', -500n), authorization(-500n)),
    ]);
    expect(comparison).toMatchObject({ differenceCount: 1n, accountCount: 2n });
    expect(comparison.differences).toMatchObject([
      { accountId: 'acct_a', ledgerPostedMinor: 500n, authorizationPostedMinor: 501n },
    ]);
  });

  it('compares the amounts on hold too', () => {
    const { differences } = prove([asStored(ledger('acct_a', 5n, 2n), authorization(5n, 3n))]);
    expect(differences).toMatchObject([{ ledgerHeldMinor: 2n, authorizationHeldMinor: 3n }]);
  });

  it('treats an account that one side does not know as empty there', () => {
    const unused = prove([{ ...asStored(ledger('acct_unused', 0n)), isInLedger: false }]);
    expect(unused).toMatchObject({ differenceCount: 0n, accountCount: 1n, trialBalances: [] });
    const unknown = prove([asStored(ledger('acct_a', 1n))]);
    expect(unknown.differences).toMatchObject([{ accountId: 'acct_a', authorizationPostedMinor: 0n }]);
  });

  it('keeps the first differences by account, and counts them all', () => {
    const ids = Array.from({ length: 2 * MAX_DIFFERENCES + 500 }, (_, index) => `acct_${index + 100_000}`);
    // Not in order: 277 has no common factor with 20,500.
    const mixed = ids.map((_, index) => ids[(index * 277) % ids.length] ?? '');
    const { differences, differenceCount } = prove(mixed.map((id) => asStored(ledger(id, 1n))));
    expect(differences.map(({ accountId }) => accountId)).toEqual(ids.slice(0, MAX_DIFFERENCES));
    expect(differenceCount).toBe(BigInt(ids.length));
  });

  it('sums each currency separately', () => {
    const dollars = { ...ledger('acct_c', 7n), currency: 'USD' };
    const accounts = [dollars, ledger('acct_a', 5n), ledger('acct_b', -5n)].map((each) => asStored(each));
    const [eur, usd] = prove(accounts).trialBalances;
    expect(eur).toMatchObject({ currency: 'EUR', postedSumMinor: 0n, accountCount: 2n });
    expect(usd).toMatchObject({ currency: 'USD', postedSumMinor: 7n });
    expect([eur, usd].map((line) => line && isBalanced(line))).toEqual([true, false]);
    const held = prove([
      asStored(ledger('acct_a', 0n, 3n)),
      asStored(ledger('acct_b', 0n, 4n)),
    ]).trialBalances;
    expect(held).toMatchObject([{ postedSumMinor: 0n, pendingSumMinor: -7n }]);
    expect(held.map(isBalanced)).toEqual([false]);
  });

  it('counts an account whose stored balance or hours differ from the journal', () => {
    const folded = ledger('acct_a', 5n);
    const right = asStored(folded);
    const staleIn = (account: ComparedAccount) => prove([account]).staleBalanceCount;
    expect(staleIn(right)).toBe(0n);
    for (const figure of ['postedMinor', 'pendingMinor', 'heldMinor']) {
      expect(staleIn({ ...right, stored: { ...folded, [figure]: 1n } }), figure).toBe(1n);
    }
    expect(staleIn({ ...right, wrongHourCount: 2n })).toBe(1n);
  });
});

describe('the verdict', () => {
  const agreed = { isConsistent: true, differenceCount: 0n, differences: [] };
  it.each([
    ['holds', 'nothing differs', agreed],
    [
      'unsettled',
      'no difference is settled',
      { ...agreed, differenceCount: 2n, differences: [{ isSettled: false }] },
    ],
    ['unsettled', 'the differences are too many to compare again', { ...agreed, differenceCount: 1n }],
    [
      'broken',
      'a difference is settled',
      { ...agreed, differenceCount: 2n, differences: [{ isSettled: false }, { isSettled: true }] },
    ],
    ['broken', 'the journal contradicts itself', { ...agreed, isConsistent: false }],
  ])('is %s if %s', (verdict, _, proof) => expect(verdictOf(proof)).toBe(verdict));
});
