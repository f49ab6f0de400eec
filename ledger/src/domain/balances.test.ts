import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { balanceChanges } from './balances.ts';
import type { JournalTransaction, PostingKind } from './journal.ts';

const account = fc.constantFrom('acct_a', 'acct_b', 'acct_c', 'external:EUR');
const posting = fc
  .record({
    kind: fc.constantFrom<PostingKind>('hold', 'release', 'transfer'),
    debitAccount: account,
    creditAccount: account,
    amountMinor: fc.bigInt({ min: 1n, max: 9_007_199_254_740_991n }),
    currency: fc.constantFrom('EUR', 'USD'),
  })
  .filter(({ debitAccount, creditAccount }) => debitAccount !== creditAccount);
const transaction = fc.array(posting, { minLength: 1, maxLength: 4 }).map(
  (postings): JournalTransaction => ({
    id: 'txn_x',
    eventType: 'payment.completed',
    paymentId: 'pay_x',
    createdAt: new Date(0),
    postings: postings.map((each, number) => ({ ...each, number })),
  }),
);

const transactionOf = (
  kind: PostingKind,
  debitAccount: string,
  creditAccount: string,
): JournalTransaction => ({
  id: 'txn_x',
  eventType: 'payment.completed',
  paymentId: 'pay_x',
  createdAt: new Date(0),
  postings: [{ number: 0, kind, debitAccount, creditAccount, amountMinor: 100n, currency: 'EUR' }],
});

describe('balance changes', () => {
  it('move a transfer from the debited to the credited account', () => {
    expect(balanceChanges([transactionOf('transfer', 'acct_a', 'acct_b')])).toMatchObject([
      { accountId: 'acct_a', postedMinor: -100n, pendingMinor: 0n, heldMinor: 0n },
      { accountId: 'acct_b', postedMinor: 100n, pendingMinor: 0n, heldMinor: 0n },
    ]);
  });

  it('count a hold as held by the payer only', () => {
    expect(balanceChanges([transactionOf('hold', 'acct_a', 'acct_b')])).toMatchObject([
      { accountId: 'acct_a', postedMinor: 0n, pendingMinor: -100n, heldMinor: 100n },
      { accountId: 'acct_b', postedMinor: 0n, pendingMinor: 100n, heldMinor: 0n },
    ]);
  });

  it('are zero after a hold and its release, even if the receiver has an equal hold for the payer', () => {
    const held = transactionOf('hold', 'acct_a', 'acct_b');
    const released = transactionOf('release', 'acct_b', 'acct_a');
    const back = transactionOf('hold', 'acct_b', 'acct_a');
    expect(balanceChanges([held, back, released])).toMatchObject([
      { accountId: 'acct_a', pendingMinor: 100n, heldMinor: 0n },
      { accountId: 'acct_b', pendingMinor: -100n, heldMinor: 100n },
    ]);
  });

  it('sum to zero in each currency and layer, for any postings', () => {
    fc.assert(
      fc.property(fc.array(transaction), (transactions) => {
        const sums = new Map<string, { posted: bigint; pending: bigint }>();
        for (const { currency, postedMinor, pendingMinor } of balanceChanges(transactions)) {
          const sum = sums.get(currency) ?? { posted: 0n, pending: 0n };
          sums.set(currency, { posted: sum.posted + postedMinor, pending: sum.pending + pendingMinor });
        }
        for (const sum of sums.values()) expect(sum).toEqual({ posted: 0n, pending: 0n });
      }),
    );
  });

  it('are sorted by account id, the order in which rows are locked', () => {
    fc.assert(
      fc.property(fc.array(transaction), (transactions) => {
        const keys = balanceChanges(transactions).map(
          ({ accountId, currency }) => `${accountId} ${currency}`,
        );
        expect(keys).toEqual([...new Set(keys)].sort());
      }),
    );
  });
});
