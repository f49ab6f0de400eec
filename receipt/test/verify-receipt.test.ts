import { describe, expect, it } from 'vitest';
import { ReceiptRefused, type TrustedHead, verifyReceipt } from '../src/index.ts';
import { journalOf, type ReceiptJson, receiptOf, type Written } from './sealed-journal.ts';

/** Payment pay_p has the transactions at 2 and 6. */
const JOURNAL: Written[] = journalOf(9).map((each, index) =>
  index === 2 || index === 6 ? { ...each, paymentId: 'pay_p' } : each,
);
const receiptOfTwo = () => receiptOf(JOURNAL, [2, 6]);
const first = ({ transactions: [item] }: ReceiptJson) => item as ReceiptJson['transactions'][0];

/** The outcome: the verified receipt, or the reason of its refusal. */
function outcomeOf(receipt: unknown, head: unknown) {
  try {
    return verifyReceipt(receipt, head as TrustedHead);
  } catch (error) {
    if (!(error instanceof ReceiptRefused)) throw error;
    return error.message;
  }
}

describe('a receipt', () => {
  it('is verified at every position of trees of every shape', () => {
    for (let size = 1; size <= 20; size += 1) {
      for (let position = 0; position < size; position += 1) {
        const receipt = receiptOf(journalOf(size), [position]);
        expect(verifyReceipt(receipt, receipt.head)).toMatchObject({ size, transactions: [{ position }] });
      }
    }
  });

  it('returns the sealed content with its positions', () => {
    const receipt = receiptOfTwo();
    const { transactions, ...rest } = verifyReceipt(receipt, receipt.head);
    expect(rest).toEqual({ paymentId: 'pay_p', size: 9, rootHash: receipt.head.root_hash });
    expect(transactions).toEqual(
      [2, 6].map((position) => ({
        id: `txn_${position}`,
        eventType: 'payment.completed',
        paymentId: 'pay_p',
        createdAt: new Date('2026-01-01T00:00:00.001Z'),
        postings: [
          {
            number: 0,
            kind: 'transfer',
            debitAccount: 'acct_a',
            creditAccount: 'acct_é',
            amount: 1_250,
            currency: 'EUR',
          },
        ],
        position,
      })),
    );
  });
});

describe('the trusted head', () => {
  it('is the published head, its size and root, or its hash', () => {
    const receipt = receiptOfTwo();
    const { size, root_hash, head_hash } = receipt.head;
    for (const head of [receipt.head, { size, root_hash }, head_hash]) {
      expect(verifyReceipt(receipt, head).size).toBe(9);
    }
  });

  it('is never the receipt’s own', () => {
    for (const head of [undefined, null, {}, '', 9]) {
      expect(outcomeOf(receiptOfTwo(), head)).toMatch(/^the trusted head/);
    }
  });

  it('is not a root alone, because a root proves neither size nor position', () => {
    const receipt = receiptOfTwo();
    const { root_hash, size } = receipt.head;
    expect(outcomeOf(receipt, root_hash)).toMatch(/A root_hash alone does not prove the size/);
    expect(outcomeOf(receipt, { root_hash })).toMatch(/size is missing/);
    // In a tree of another size, the same path can lead to the same root.
    expect(outcomeOf(receipt, { root_hash, size: size + 1 })).toMatch(/of size 9, not 10/);
  });

  it('is of the same size as the receipt: older and newer heads are refused', () => {
    for (const size of [7, 10]) {
      const { head } = receiptOf([...JOURNAL, ...journalOf(1)].slice(0, size), [2]);
      const reason = new RegExp(`of size 9, not ${size}.*head_size=${size}`);
      expect(outcomeOf(receiptOfTwo(), head)).toMatch(reason);
      expect(outcomeOf(receiptOfTwo(), head.head_hash)).toMatch(/It was made against another head/);
    }
  });

  it('shows that the journal behind it was rewritten', () => {
    const { head } = receiptOfTwo();
    const rewritten = JOURNAL.map((each, index) => (index === 4 ? { ...each, amount: 1 } : each));
    expect(outcomeOf(receiptOf(rewritten, [2, 6]), head)).toMatch(/The journal of size 9 has another root/);
  });
});

/** Every value in the receipt, as its path and as a function that edits it. */
function* edits(
  value: unknown,
  path: string,
  set: (edited: unknown) => void,
): Generator<[string, () => void]> {
  if (typeof value === 'object' && value !== null) {
    for (const [name, child] of Object.entries(value)) {
      yield* edits(child, `${path}.${name}`, (edited) => Object.assign(value, { [name]: edited }));
    }
  } else if (typeof value === 'number') {
    for (const edited of [value + 1, value - 1, 2 ** 40, String(value), null]) {
      yield [`${path} = ${edited}`, () => set(edited)];
    }
  } else {
    const text = String(value);
    const other = text.endsWith('0') ? '1' : '0';
    for (const edited of [text.slice(0, -1) + other, `${text}00`, text.slice(0, -2), '', null]) {
      yield [`${path} = ${edited}`, () => set(edited)];
    }
  }
}

const editCount = [...edits(receiptOfTwo(), '', () => {})].length;

describe('an edited receipt', () => {
  it('is refused against the published head, whichever field was edited', () => {
    const { head } = receiptOfTwo();
    expect(editCount).toBeGreaterThan(200);
    for (let index = 0; index < editCount; index += 1) {
      const receipt = receiptOfTwo();
      const [what, edit] = [...edits(receipt, 'receipt', () => {})][index] ?? ['', () => {}];
      edit();
      expect([what, outcomeOf(receipt, head)]).toEqual([what, expect.any(String)]);
    }
  });

  it('is refused or proves the same, if only size and root are trusted', () => {
    const { head } = receiptOfTwo();
    const proven = verifyReceipt(receiptOfTwo(), head);
    for (let index = 0; index < editCount; index += 1) {
      const receipt = receiptOfTwo();
      [...edits(receipt, 'receipt', () => {})][index]?.[1]();
      const outcome = outcomeOf(receipt, { size: head.size, root_hash: head.root_hash });
      if (typeof outcome !== 'string') expect(outcome).toEqual(proven);
    }
  });

  type Change = [string, (receipt: ReceiptJson) => unknown, RegExp];
  it.each<Change>([
    [
      'the second transaction of another payment',
      (receipt) => receipt.transactions.splice(1, 1, first(receiptOf(JOURNAL, [3]))),
      /transactions\[1\] belongs to payment pay_3/,
    ],
    [
      'the path of the other transaction',
      ({ transactions: [a, b] }) => a && b && Object.assign(b, { path: a.path }),
      /transactions\[1\].*do not lead to the head's root/,
    ],
    ['a longer path', (receipt) => first(receipt).path.push('ab'.repeat(32)), /do not lead/],
    ['a shorter path', (receipt) => first(receipt).path.pop(), /do not lead/],
    ['a transaction twice', (receipt) => receipt.transactions.push(first(receipt)), /a transaction twice/],
    ['another order', ({ transactions }) => transactions.reverse(), /not in the order/],
    ['no transactions', ({ transactions }) => transactions.splice(0), /holds no transactions/],
    ['a missing entry', (receipt) => first(receipt).transaction.entries.pop(), /has 1 items/],
  ])('with %s is refused', (_, change, reason) => {
    const receipt = receiptOfTwo();
    const { head } = structuredClone(receipt);
    change(receipt);
    expect(outcomeOf(receipt, head)).toMatch(reason);
  });
});

describe('sealed bytes that the ledger does not write', () => {
  it.each<[string, Partial<Written>, RegExp]>([
    ['an unknown kind', { kind: 'gift' }, /"gift" is not a kind/],
    ['no amount', { amount: 0 }, /0 is not an amount/],
    ['an amount that is not exact in JSON', { amount: 2 ** 53 }, /is not an amount/],
    ['a time out of range', { time: 2n ** 62n }, /time is out of range/],
    ['text that is not UTF-8', { eventType: Buffer.from([0xff]) }, /not UTF-8/],
    ['more postings than bytes', { postingCount: 0xffff_ffff }, /end too early/],
    ['fewer postings than bytes', { postingCount: 0 }, /continue after their end/],
  ])('are refused: %s', (_, written, reason) => {
    const journal = [{ id: 'txn_0', paymentId: 'pay_0', amount: 1, ...written }];
    const receipt = receiptOf(journal, [0]);
    expect(outcomeOf(receipt, receipt.head)).toMatch(reason);
  });
});
