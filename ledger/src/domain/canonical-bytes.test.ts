import { NotCanonical, readCanonicalBytes } from '@payflowx/receipt';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalBytes } from './canonical-bytes.ts';
import type { JournalTransaction, PostingKind } from './journal.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const transaction = fc.record<JournalTransaction>({
  id: text,
  eventType: text,
  paymentId: text,
  createdAt: fc.date({ noInvalidDate: true }),
  postings: fc.array(
    fc.record({
      number: fc.nat(32_767),
      kind: fc.constantFrom<PostingKind>('hold', 'release', 'transfer'),
      debitAccount: text,
      creditAccount: text,
      amountMinor: fc.bigInt({ min: 1n, max: 9_007_199_254_740_991n }),
      currency: text,
    }),
    { maxLength: 4 },
  ),
});

describe('canonical bytes', () => {
  it('have the layout of the README', () => {
    const bytes = canonicalBytes({
      id: 'txn_1',
      eventType: 'payment.completed',
      paymentId: 'pay_é',
      createdAt: new Date('2026-01-01T00:00:00.001Z'),
      postings: [
        {
          number: 0,
          kind: 'transfer',
          debitAccount: 'acct_a',
          creditAccount: 'acct_b',
          amountMinor: 1250n,
          currency: 'EUR',
        },
      ],
    });
    const ascii = (value: string) => Buffer.from(value).toString('hex');
    expect(bytes.toString('hex')).toBe(
      [
        `0000001e${ascii('payflowx.ledger.transaction.v1')}`,
        `00000005${ascii('txn_1')}`,
        `00000011${ascii('payment.completed')}`,
        '00000006' + '7061795fc3a9',
        '0000019b76daa801',
        '00000001',
        '00000000',
        `00000008${ascii('transfer')}`,
        `00000006${ascii('acct_a')}`,
        `00000006${ascii('acct_b')}`,
        '00000000000004e2',
        `00000003${ascii('EUR')}`,
      ].join(''),
    );
  });

  it('decode to the transaction that they encode, for the verifier of receipts', () => {
    fc.assert(
      fc.property(transaction, (each) => {
        const { postings, ...rest } = readCanonicalBytes(canonicalBytes(each));
        const read = postings.map(({ amount, ...posting }) => ({ ...posting, amountMinor: BigInt(amount) }));
        expect({ ...rest, postings: read }).toEqual(each);
      }),
    );
  });

  it('are refused if they are cut, extended or have an unknown layout', () => {
    fc.assert(
      fc.property(transaction, fc.nat(), (each, choice) => {
        const bytes = canonicalBytes(each);
        expect(() => readCanonicalBytes(bytes.subarray(0, choice % bytes.length))).toThrow(NotCanonical);
        expect(() => readCanonicalBytes(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(NotCanonical);
        expect(() => readCanonicalBytes(bytes.subarray(1))).toThrow(NotCanonical);
      }),
    );
  });
});
