import { openDatabase } from '@payflowx/chassis/postgres';
import { eventually, mortalScript, testLog } from '@payflowx/chassis/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestLedger } from '../src/app/digest-ledger.ts';
import { recordTransactions } from '../src/app/record-transactions.ts';
import { sealBatch, startSealer } from '../src/app/seal-journal.ts';
import type { JournalTransaction } from '../src/domain/journal.ts';
import type { Database } from '../src/store/database.ts';
import { insertPostings, insertTransactions } from '../src/store/journal.ts';
import { findNewestHead, findPositions } from '../src/store/seals.ts';
import { asSuperuser, checkWholeSeal, createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { transferOf } from './journal.ts';

let ledger: LedgerDatabase;
const deps = () => ({ db: ledger.db, now: () => new Date() });

beforeEach(async () => {
  ledger = await createLedgerDatabase();
});

afterEach(() => ledger.drop());

const someTransactions = (count: number): JournalTransaction[] =>
  Array.from({ length: count }, (_, index) => transferOf(BigInt(index + 1)));

const positionsOf = async (transactions: readonly JournalTransaction[]) => {
  const positions = await findPositions(
    ledger.db,
    transactions.map(({ id }) => id),
  );
  return transactions.map(({ id }) => positions.get(id));
};

const nothingBroken = { firstBrokenTransactionId: '', brokenDetail: '' };

describe('the sealer', () => {
  it('gives every transaction one position without gaps, while several sealers and writers run', async () => {
    const sealers = [1, 2, 3].map(() => startSealer(deps(), 5, testLog));
    const transactions = someTransactions(600);
    const batches = Array.from({ length: 60 }, (_, index) => transactions.slice(index * 10, index * 10 + 10));
    // All at the same time, each twice: they wait for each other's rows and commit in any order.
    await Promise.all([...batches, ...batches].map((batch) => recordTransactions(ledger, batch)));
    await eventually(async () => expect(await checkWholeSeal(ledger)).toMatchObject({ unsealedCount: 0n }));
    await Promise.all(sealers.map((sealer) => sealer.stop()));

    const positions = await positionsOf(transactions);
    expect(positions.toSorted((a = -1, b = -1) => a - b)).toEqual(transactions.map((_, index) => index));
    expect(await checkWholeSeal(ledger)).toMatchObject({ ...nothingBroken, head: { size: 600 } });
  });

  it('does not skip a transaction with an earlier id that commits later', async () => {
    const [early, late] = someTransactions(2);
    if (!early || !late) throw new Error('two in, two out');
    const other = openDatabase<Database>({ url: ledger.url, poolMax: 1 }, testLog);
    await other.transaction().execute(async (trx) => {
      await insertTransactions(trx, [early]);
      await insertPostings(trx, [early]);
      await recordTransactions(ledger, [late]);
      await sealBatch(deps());
      expect(await positionsOf([early, late])).toEqual([undefined, 0]);
    });
    await other.destroy();
    await sealBatch(deps());
    expect(await positionsOf([early, late])).toEqual([1, 0]);
  });

  it('changes nothing when all transactions are delivered again', async () => {
    const transactions = someTransactions(20);
    await recordTransactions(ledger, transactions);
    await sealBatch(deps());
    const head = await findNewestHead(ledger.db);
    await recordTransactions(ledger, transactions);
    await sealBatch(deps());
    expect(await findNewestHead(ledger.db)).toEqual(head);
    expect(await checkWholeSeal(ledger)).toMatchObject({ ...nothingBroken, unsealedCount: 0n });
  });

  it('does not change the digest, which covers the journal and not its seal', async () => {
    await recordTransactions(ledger, someTransactions(5));
    const digest = await digestLedger(ledger.db);
    await sealBatch(deps());
    expect(await digestLedger(ledger.db)).toBe(digest);
  });

  it('continues after a kill before or after the commit', async () => {
    await recordTransactions(ledger, someTransactions(35));
    const sealing = await mortalScript(new URL('./sealing-process.ts', import.meta.url), [ledger.url]);
    await sealing.dieAt('ledger.before-seal-commit');
    await sealing.dieAt('ledger.after-seal-commit');
    expect(await checkWholeSeal(ledger)).toMatchObject({ ...nothingBroken, unsealedCount: 25n });
    await sealing.finish();
    const sealed = { ...nothingBroken, unsealedCount: 0n, head: { size: 35 } };
    expect(await checkWholeSeal(ledger)).toMatchObject(sealed);
    await sealing.drop();
  });

  it('keeps the position of a removed transaction that a replay brings back', async () => {
    const transactions = someTransactions(9);
    await recordTransactions(ledger, transactions);
    await sealBatch(deps());
    const [lost] = transactions;
    if (!lost) throw new Error('nine in, nine out');
    await asSuperuser(
      ledger,
      `delete from postings where transaction_id = '${lost.id}'; delete from transactions where id = '${lost.id}'`,
    );
    expect(await checkWholeSeal(ledger)).toMatchObject({ firstBrokenTransactionId: lost.id });

    await recordTransactions(ledger, transactions);
    expect(await checkWholeSeal(ledger)).toMatchObject({ ...nothingBroken, unsealedCount: 0n });
    await sealBatch(deps());
    expect(await checkWholeSeal(ledger)).toMatchObject({ ...nothingBroken, head: { size: 9 } });
  });
});
