import { newId } from '@payflowx/chassis';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { digestLedger } from '../src/app/digest-ledger.ts';
import { recordTransactions } from '../src/app/record-transactions.ts';
import { type Balance, balanceChanges } from '../src/domain/balances.ts';
import type { JournalTransaction, PostingKind } from '../src/domain/journal.ts';
import { listBalancesAfter } from '../src/store/balances.ts';
import { findTransactions } from '../src/store/journal.ts';
import { countJournal } from '../src/store/proof.ts';
import { atOneMoment } from '../src/store/snapshot.ts';
import { compareAll, createLedgerDatabase, type LedgerDatabase } from './fixture.ts';

let ledger: LedgerDatabase;

beforeAll(async () => {
  ledger = await createLedgerDatabase();
});

afterAll(() => ledger.drop());

const ACCOUNTS = ['acct_a', 'acct_b', 'acct_c', 'acct_d', 'external:EUR'];

const posting = fc
  .record({
    kind: fc.constantFrom<PostingKind>('hold', 'release', 'transfer'),
    debitAccount: fc.constantFrom(...ACCOUNTS),
    creditAccount: fc.constantFrom(...ACCOUNTS),
    amountMinor: fc.bigInt({ min: 1n, max: 1_000_000n }),
  })
  .filter(({ debitAccount, creditAccount }) => debitAccount !== creditAccount);

const journal = fc.array(fc.array(posting, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 25 });

function toTransactions(movements: Omit<JournalTransaction['postings'][number], 'number' | 'currency'>[][]) {
  return movements.map(
    (postings): JournalTransaction => ({
      id: newId('txn'),
      eventType: 'payment.completed',
      paymentId: newId('pay'),
      createdAt: new Date(),
      postings: postings.map((each, number) => ({ ...each, number, currency: 'EUR' })),
    }),
  );
}

const transactionOf = (amountMinor: bigint): JournalTransaction => {
  const [transaction] = toTransactions([
    [{ kind: 'transfer', debitAccount: 'acct_a', creditAccount: 'acct_b', amountMinor }],
  ]);
  if (!transaction) throw new Error('one in, one out');
  return transaction;
};

/** Each transaction one to three times, in any order, in batches of any size that several instances apply at the same time. */
const delivery = (count: number) =>
  fc
    .tuple(
      fc.array(fc.nat(count - 1), { maxLength: 2 * count }),
      fc.infiniteStream(fc.integer({ min: 1, max: 8 })),
      fc.infiniteStream(fc.nat()),
    )
    .map(([repeats, sizes, order]) => {
      const deliveries = [...Array.from({ length: count }, (_, index) => index), ...repeats]
        .map((index) => ({ index, at: order.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ index }) => index);
      const flushes: number[][] = [];
      while (deliveries.length > 0) flushes.push(deliveries.splice(0, sizes.next().value ?? 1));
      return flushes;
    });

const balancesNow = async (): Promise<Map<string, Balance>> => {
  const all = await listBalancesAfter(ledger.db, { accountId: '', currency: '' }, 100);
  return new Map(all.map((balance) => [balance.accountId, balance]));
};

describe('recording transactions', () => {
  afterEach(async () => {
    for (const { folded, stored } of await compareAll(ledger)) expect(stored).toEqual(folded);
  });

  it('gives the same balances for any order, number of deliveries and number of instances', async () => {
    const scenario = journal.chain((movements) =>
      fc.tuple(fc.constant(movements), delivery(movements.length)),
    );
    await fc.assert(
      fc.asyncProperty(scenario, async ([movements, flushes]) => {
        const transactions = toTransactions(movements);
        const before = await balancesNow();
        const flush = (indexes: number[]) =>
          recordTransactions(
            ledger,
            indexes.flatMap((index) => transactions[index] ?? []),
          );
        await Promise.all(flushes.map(flush));

        const after = await balancesNow();
        for (const change of balanceChanges(transactions)) {
          const was = before.get(change.accountId);
          expect(after.get(change.accountId)).toEqual({
            ...change,
            postedMinor: (was?.postedMinor ?? 0n) + change.postedMinor,
            pendingMinor: (was?.pendingMinor ?? 0n) + change.pendingMinor,
            heldMinor: (was?.heldMinor ?? 0n) + change.heldMinor,
          });
        }
        const recorded = await findTransactions(
          ledger.db,
          transactions.map(({ id }) => id),
        );
        expect(recorded).toEqual(transactions.toSorted((a, b) => (a.id < b.id ? -1 : 1)));
      }),
      { numRuns: 30 },
    );
  });

  it('changes nothing when all transactions are delivered again', async () => {
    const transactions = [transactionOf(1n), transactionOf(2n)];
    await recordTransactions(ledger, transactions);
    const digest = await digestLedger(ledger.db);
    await recordTransactions(ledger, transactions.toReversed());
    expect(await digestLedger(ledger.db)).toBe(digest);
  });

  it('refuses a known id with another content, and with it the whole batch', async () => {
    const known = transactionOf(10n);
    await recordTransactions(ledger, [known]);
    const digest = await digestLedger(ledger.db);
    const [first] = known.postings;
    if (!first) throw new Error('it has one posting');
    const contradictions: JournalTransaction[] = [
      { ...known, postings: [{ ...first, amountMinor: 11n }] },
      { ...known, postings: [first, { ...first, number: 1 }] },
      { ...known, paymentId: 'pay_other' },
      { ...known, createdAt: new Date(0) },
    ];
    for (const contradiction of contradictions) {
      await expect(recordTransactions(ledger, [transactionOf(1n), contradiction])).rejects.toThrow(
        /in the journal with another content/,
      );
    }
    expect(await digestLedger(ledger.db)).toBe(digest);
  });

  it('refuses two contents under one id in the same batch', async () => {
    const transaction = transactionOf(10n);
    const other = { ...transaction, eventType: 'payment.refunded' };
    await expect(recordTransactions(ledger, [transaction, other])).rejects.toThrow(/another content/);
  });

  it('counts the payments whose money is still on hold', async () => {
    const openHolds = async () => (await atOneMoment(ledger.db, countJournal)).openHoldCount;
    const before = await openHolds();
    const paymentId = newId('pay');
    const [held, released] = toTransactions([
      [{ kind: 'hold', debitAccount: 'acct_a', creditAccount: 'acct_b', amountMinor: 7n }],
      [{ kind: 'release', debitAccount: 'acct_b', creditAccount: 'acct_a', amountMinor: 7n }],
    ]);
    if (!held || !released) throw new Error('two in, two out');
    await recordTransactions(ledger, [{ ...held, paymentId }]);
    expect(await openHolds()).toBe(before + 1n);
    await recordTransactions(ledger, [{ ...released, paymentId }]);
    expect(await openHolds()).toBe(before);
  });
});
