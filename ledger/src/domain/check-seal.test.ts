import { describe, expect, it } from 'vitest';
import { canonicalBytes } from './canonical-bytes.ts';
import { type SealedLeaf, type SealFault, sealChecker } from './check-seal.ts';
import type { JournalTransaction } from './journal.ts';
import { growingTree, leafHash } from './merkle-tree.ts';
import { headHash, type SealedHead } from './sealed-head.ts';

const transactionAt = (position: number): JournalTransaction => ({
  id: `txn_0198c5b2-7a30-7c41-9d52-${String(position).padStart(12, '0')}`,
  eventType: 'payment.completed',
  paymentId: 'pay_0198c5b2-7a30-7c41-9d52-0123456789ab',
  createdAt: new Date('2026-01-01T00:00:00Z'),
  postings: [
    {
      number: 0,
      kind: 'transfer',
      debitAccount: 'acct_a',
      creditAccount: 'acct_b',
      amountMinor: 5n,
      currency: 'EUR',
    },
  ],
});

/** A seal of ten transactions under three heads. */
function seal() {
  const tree = growingTree();
  const rows: (SealedLeaf | SealedHead)[] = [];
  let previousHeadHash: Buffer = Buffer.alloc(0);
  for (let position = 0; position < 10; position += 1) {
    const transaction = transactionAt(position);
    const hash = leafHash(canonicalBytes(transaction));
    const subtreeHashes = Buffer.concat(tree.append(hash));
    rows.push({
      position,
      transactionId: transaction.id,
      leafHash: hash,
      subtreeHashes,
      transaction,
      timesAgree: true,
    });
    if (![3, 7, 9].includes(position)) continue;
    const head = { size: position + 1, rootHash: tree.root(), previousHeadHash };
    rows.push({ ...head, headHash: headHash(head), sealedAt: new Date(0) });
    previousHeadHash = headHash(head);
  }
  return rows;
}

const isHead = (row: SealedLeaf | SealedHead): row is SealedHead => 'rootHash' in row;

/** Checks the rows until the first fault. Returns it, and the size of the correct part. */
function check(rows: readonly (SealedLeaf | SealedHead)[]): { fault: SealFault | undefined; size: number } {
  const checker = sealChecker();
  for (const row of rows) {
    const fault = isHead(row) ? checker.head(row) : checker.leaf(row);
    if (fault) return { fault, size: checker.size };
  }
  return { fault: undefined, size: checker.size };
}

/** The fault after a change of the leaf at this position, or of the head of this size. */
const faultAfter = (change: { leaf?: number; head?: number }, to: object) =>
  check(
    seal().map((row) =>
      (isHead(row) ? row.size === change.head : row.position === change.leaf) ? { ...row, ...to } : row,
    ),
  ).fault;

const other = leafHash(canonicalBytes(transactionAt(99)));

describe('a seal', () => {
  it('that agrees with the journal has no fault', () => {
    expect(check(seal())).toEqual({ fault: undefined, size: 10 });
  });

  it.each<[string, number, object, SealFault['kind']]>([
    ['was removed', 5, { transaction: undefined }, 'removed'],
    ['was changed', 5, { transaction: transactionAt(6) }, 'changed'],
    ['has another hash', 5, { leafHash: other }, 'changed'],
    ['has postings of another time', 5, { timesAgree: false }, 'retimed'],
    ['has another position', 5, { position: 6 }, 'missing'],
  ])('whose transaction %s', (_, position, to, kind) => {
    expect(faultAfter({ leaf: position }, to)).toEqual({ kind, position });
  });

  it('without a row misses it', () => {
    const rows = seal().filter((row) => isHead(row) || row.position !== 2);
    expect(check(rows)).toEqual({ fault: { kind: 'missing', position: 2 }, size: 2 });
  });

  it.each<[string, object]>([
    ['another root', { rootHash: other }],
    ['another size', { size: 8 }],
    ['another hash of its own', { headHash: other }],
    ['another head before it', { previousHeadHash: other }],
  ])('whose second head has %s', (_, to) => {
    const size = 'size' in to ? 7 : 8;
    const changed = 'size' in to ? { size } : to;
    expect(faultAfter({ head: 8 }, changed)).toEqual({ kind: 'head', position: 4, size });
  });

  it('with a head that was made again over another chain is noticed', () => {
    const [head] = seal().filter(isHead).slice(1);
    if (!head) throw new Error('There is no second head.');
    for (const change of [{ previousHeadHash: Buffer.alloc(0) }, { rootHash: other }, { size: 7 }]) {
      const forged = { ...head, ...change };
      const fault = faultAfter({ head: 8 }, { ...forged, headHash: headHash(forged) });
      expect(fault).toEqual({ kind: 'head', position: 4, size: forged.size });
    }
  });

  /** Position 7 completes subtrees of 2, 4 and 8 leaves. */
  it.each([
    [1, 6],
    [2, 4],
    [3, 0],
  ])('with a replaced subtree of level %i, alone and with its leaves', (level, position) => {
    const rows = seal();
    const at7 = rows.find((row) => !isHead(row) && row.position === 7) as SealedLeaf;
    const hashes = Buffer.from(at7.subtreeHashes);
    other.copy(hashes, (level - 1) * 32);
    const changed = rows.map((row) => (row === at7 ? { ...row, subtreeHashes: hashes } : row));
    // Only the subtree is wrong.
    expect(check(changed).fault).toEqual({ kind: 'subtree', position: 7 });
    // The head above does not commit to it either, so the leaves were replaced too.
    const both = changed.map((row) => (isHead(row) && row.size === 8 ? { ...row, rootHash: other } : row));
    expect(check(both).fault).toEqual({ kind: 'replaced', position, lastPosition: 7 });
    // A later fault does not hide it.
    const later = changed
      .filter((row) => !isHead(row) || row.size !== 8)
      .filter((row) => isHead(row) || row.position !== 8);
    expect(check(later).fault).toEqual({ kind: 'replaced', position, lastPosition: 7 });
  });

  it('with more or fewer stored hashes than subtrees is noticed', () => {
    const at7 = seal().find((row) => !isHead(row) && row.position === 7) as SealedLeaf;
    for (const subtreeHashes of [
      Buffer.concat([at7.subtreeHashes, other]),
      at7.subtreeHashes.subarray(0, 64),
      Buffer.alloc(0),
    ]) {
      expect(faultAfter({ leaf: 7 }, { subtreeHashes })).toEqual({ kind: 'subtree', position: 7 });
    }
  });
});

it('a head commits to the head before it, its size and its root', () => {
  const head = { previousHeadHash: Buffer.alloc(0), size: 1, rootHash: other };
  const hashes = [
    head,
    { ...head, size: 2 },
    { ...head, rootHash: Buffer.alloc(32) },
    { ...head, previousHeadHash: other },
  ].map((each) => headHash(each).toString('hex'));
  expect(new Set(hashes).size).toBe(4);
  // Computed by this layout: receipts that were given out must stay valid.
  expect(hashes[3]).toMatchInlineSnapshot(
    `"55e2aca4ae7be255907beea00469d815096f015c86a2af4b131d14da0201c464"`,
  );
});
