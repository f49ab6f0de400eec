import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordTransactions } from '../src/app/record-transactions.ts';
import { sealBatch } from '../src/app/seal-journal.ts';
import { canonicalBytes } from '../src/domain/canonical-bytes.ts';
import type { JournalTransaction } from '../src/domain/journal.ts';
import { leafHash } from '../src/domain/merkle-tree.ts';
import { findNewestHead } from '../src/store/seals.ts';
import { asSuperuser, checkWholeSeal, createLedgerDatabase, type LedgerDatabase } from './fixture.ts';
import { transferOf } from './journal.ts';

let ledger: LedgerDatabase;
/** By position. They are sealed under two heads, of size 8 and 20. One more transaction waits. */
let transactions: JournalTransaction[];
let waiting: JournalTransaction;

beforeEach(async () => {
  ledger = await createLedgerDatabase();
  const deps = { db: ledger.db, now: () => new Date() };
  transactions = Array.from({ length: 20 }, (_, index) => transferOf(BigInt(100 + index)));
  for (const part of [transactions.slice(0, 8), transactions.slice(8)]) {
    await recordTransactions(ledger, part);
    await sealBatch(deps);
  }
  waiting = transferOf(1n);
  await recordTransactions(ledger, [waiting]);
});

afterEach(() => ledger.drop());

/** The transaction id at a position, as SQL text. */
const at = (position: number) => `'${transactions[position]?.id}'`;

async function expectBroken(position: number, detail: RegExp): Promise<void> {
  const { firstBrokenTransactionId, brokenDetail } = await checkWholeSeal(ledger);
  expect(brokenDetail).toMatch(detail);
  expect(firstBrokenTransactionId).toBe(transactions[position]?.id);
}

describe('an untouched journal', () => {
  it('matches its seal', async () => {
    expect(await checkWholeSeal(ledger)).toMatchObject({
      brokenDetail: '',
      firstBrokenTransactionId: '',
      unsealedCount: 1n,
      head: { size: 20 },
    });
  });
});

describe('a changed journal names the first broken transaction', () => {
  const changed = /^Position 11 of the seal: the transaction or one of its entries was changed/;
  const CHANGES: [string, string, RegExp][] = [
    [
      'an amount by 1',
      'update postings set amount_minor = amount_minor + 1 where transaction_id = :id',
      changed,
    ],
    ['an account', `update postings set credit_account = 'acct_eve' where transaction_id = :id`, changed],
    ['a kind', `update postings set kind = 'hold' where transaction_id = :id`, changed],
    ['a payment', `update transactions set payment_id = 'pay_other' where id = :id`, changed],
    ['a type', `update transactions set event_type = 'payment.refunded' where id = :id`, changed],
    [
      'a time by a millisecond',
      `update transactions set created_at = created_at + interval '1 ms' where id = :id;
       update postings set created_at = created_at + interval '1 ms' where transaction_id = :id`,
      changed,
    ],
    [
      'a time by a microsecond',
      `update transactions set created_at = created_at + interval '1 us' where id = :id;
       update postings set created_at = created_at + interval '1 us' where transaction_id = :id`,
      /its time, or the time of its entries/,
    ],
    [
      'the time of an entry',
      `update postings set created_at = created_at + interval '1 day' where transaction_id = :id`,
      /its time, or the time of its entries/,
    ],
    ['no entries any more', 'delete from postings where transaction_id = :id', changed],
    [
      'an entry more',
      `insert into postings values (:id, 1, 'transfer', 'acct_a', 'acct_eve', 5, 'EUR', now())`,
      changed,
    ],
  ];

  it.each(CHANGES)('%s', async (_, statements, detail) => {
    await asSuperuser(ledger, statements.replaceAll(':id', at(11)));
    await expectBroken(11, detail);
  });

  it('two transactions that swapped their amounts', async () => {
    await asSuperuser(
      ledger,
      `update postings set amount_minor = case transaction_id when ${at(4)} then 109 else 104 end
       where transaction_id in (${at(4)}, ${at(9)})`,
    );
    await expectBroken(4, /changed after it was sealed/);
  });

  it('the first of several', async () => {
    await asSuperuser(ledger, 'update postings set amount_minor = amount_minor + 1');
    await expectBroken(0, /changed after it was sealed/);
  });

  it('a transaction that was removed, with or without its entries', async () => {
    await asSuperuser(
      ledger,
      `delete from postings where transaction_id = ${at(13)}; delete from transactions where id in (${at(13)}, ${at(15)})`,
    );
    await expectBroken(13, /Position 13 of the seal: the transaction was removed/);
  });

  it('a transaction that was added without the sealer', async () => {
    const id = 'txn_00000000-0000-7000-8000-000000000000';
    await asSuperuser(
      ledger,
      `insert into transactions (id, event_type, payment_id, created_at) values ('${id}', 'payment.completed', 'pay_x', now());
       insert into postings values ('${id}', 0, 'transfer', 'acct_a', 'acct_eve', 5, 'EUR', now())`,
    );
    expect(await checkWholeSeal(ledger)).toMatchObject({
      firstBrokenTransactionId: id,
      brokenDetail: expect.stringMatching(/neither sealed nor waiting/),
    });
  });

  it('entries without a transaction', async () => {
    await asSuperuser(
      ledger,
      `insert into postings values ('txn_none', 0, 'transfer', 'acct_a', 'acct_eve', 5, 'EUR', now())`,
    );
    expect(await checkWholeSeal(ledger)).toMatchObject({ firstBrokenTransactionId: 'txn_none' });
  });

  it('a transaction that was removed before it was sealed', async () => {
    await asSuperuser(ledger, `delete from transactions where id = '${waiting.id}'`);
    expect(await checkWholeSeal(ledger)).toMatchObject({
      firstBrokenTransactionId: waiting.id,
      brokenDetail: 'It was removed before it was sealed.',
    });
  });
});

describe('a rewritten seal', () => {
  it('is distinguished from a changed transaction', async () => {
    await asSuperuser(ledger, `update seals set leaf_hash = sha256('other') where position = 6`);
    await expectBroken(6, /its row in the seal was rewritten: the leaf hash/);
  });

  it('is found by the subtrees beside it', async () => {
    await asSuperuser(ledger, `update seals set subtree_hashes = sha256('other') where position = 5`);
    await expectBroken(5, /its row in the seal was rewritten: the hashes of the subtrees/);
  });

  it('is found if two transactions swapped their positions', async () => {
    await asSuperuser(
      ledger,
      `create temporary table swapped as select * from seals where position in (4, 9);
       update seals set transaction_id = 'txn_aside' where position = 4;
       update seals as s set (transaction_id, leaf_hash) = (select w.transaction_id, w.leaf_hash from swapped as w where w.position = 4) where position = 9;
       update seals as s set (transaction_id, leaf_hash) = (select w.transaction_id, w.leaf_hash from swapped as w where w.position = 9) where position = 4`,
    );
    const { firstBrokenTransactionId, brokenDetail } = await checkWholeSeal(ledger);
    expect(brokenDetail).toMatch(
      /^Position 4 of the seal: one of the transactions from here to position 5 was replaced/,
    );
    expect(firstBrokenTransactionId).toBe(transactions[9]?.id);
  });

  /** The changes of a careful attacker: the amount, and the leaf hash that belongs to it. */
  const forgeAt = async (position: number) => {
    const [original] = [transactions[position]].flatMap((each) => each ?? []);
    if (!original) throw new Error('there is no such position');
    const postings = original.postings.map((posting) => ({ ...posting, amountMinor: 9_999n }));
    const leaf = leafHash(canonicalBytes({ ...original, postings })).toString('hex');
    await asSuperuser(
      ledger,
      `update postings set amount_minor = 9999 where transaction_id = ${at(position)};
       update seals set leaf_hash = '\\x${leaf}' where position = ${position}`,
    );
  };

  it('is found if transaction and leaf were both replaced', async () => {
    await forgeAt(10);
    await expectBroken(
      10,
      /one of the transactions from here to position 11 was replaced, in the journal and in the seal/,
    );
  });

  it('is found by its head if the whole tree below was rewritten', async () => {
    await forgeAt(19);
    // Position 19 completes the subtrees of positions 18–19 and 16–19.
    const hashes = await sql<{
      hash: Buffer;
    }>`select leaf_hash as hash from seals where position >= 16 order by position`.execute(ledger.db);
    const [a, b, c, d] = hashes.rows.map(({ hash }) => hash.toString('hex'));
    const node = (left: string, right: string) => `sha256('\\x01'::bytea || ${left} || ${right})`;
    const hex = (hash: string | undefined) => `'\\x${hash}'::bytea`;
    const pair = node(hex(c), hex(d));
    await asSuperuser(
      ledger,
      `update seals set subtree_hashes = ${pair} || ${node(node(hex(a), hex(b)), pair)} where position = 19`,
    );
    await expectBroken(8, /the head of size 20, which added it, does not commit to the journal/);
  });

  it.each([
    ['root', `update heads set root_hash = sha256('other') where size = 8`, 0],
    ['chain', `update heads set previous_head_hash = sha256('other') where size = 20`, 8],
    ['first head, removed', 'delete from heads where size = 8', 0],
  ])('is found by its heads: %s', async (_, statements, position) => {
    await asSuperuser(ledger, statements);
    await expectBroken(position, /the head of size \d+, which added it/);
  });

  it('is found if its newest head was removed', async () => {
    await asSuperuser(ledger, 'delete from heads where size = 20');
    await expectBroken(8, /position 8 of the seal, beyond the newest head/);
  });

  it('is found if a row was removed, and the transaction is named if the journal still has it', async () => {
    await asSuperuser(ledger, 'delete from seals where position = 12');
    await expectBroken(12, /Position 12 of the seal: the row was removed/);
    await asSuperuser(
      ledger,
      `delete from postings where transaction_id = ${at(12)}; delete from transactions where id = ${at(12)}`,
    );
    expect(await checkWholeSeal(ledger)).toMatchObject({
      brokenDetail: 'Position 12 of the seal: its row and its transaction were removed.',
    });
  });

  it('is found after the sealer has continued', async () => {
    await asSuperuser(
      ledger,
      `update postings set amount_minor = amount_minor + 1 where transaction_id = ${at(2)}`,
    );
    await sealBatch({ db: ledger.db, now: () => new Date() });
    expect((await findNewestHead(ledger.db))?.size).toBe(21);
    await expectBroken(2, /changed after it was sealed/);
  });
});
