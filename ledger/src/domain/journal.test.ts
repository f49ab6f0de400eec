import { describe, expect, it } from 'vitest';
import {
  canonicalText,
  entriesOf,
  entryIdOf,
  eventIdOf,
  type JournalTransaction,
  layerOf,
  type Posting,
  transactionIdOf,
} from './journal.ts';

const UUID = '0198c5b2-7a30-7c41-9d52-0123456789ab';
const posting: Posting = {
  number: 0,
  kind: 'transfer',
  debitAccount: 'acct_a',
  creditAccount: 'acct_b',
  amountMinor: 5n,
  currency: 'EUR',
};
const transaction: JournalTransaction = {
  id: `txn_${UUID}`,
  eventType: 'payment.completed',
  paymentId: 'pay_1',
  createdAt: new Date('2026-01-01T00:00:00.001Z'),
  postings: [posting, { ...posting, number: 1, kind: 'release' }],
};

it('a transaction has the id of its event, and only an event has one', () => {
  expect(transactionIdOf(`evt_${UUID}`)).toBe(`txn_${UUID}`);
  expect(eventIdOf(`txn_${UUID}`)).toBe(`evt_${UUID}`);
  for (const text of [
    UUID,
    `txn_${UUID}`,
    `xevt_${UUID}`,
    `evt_${UUID}x`,
    'evt_1',
    `evt_${UUID.toUpperCase()}`,
    '',
  ]) {
    expect(transactionIdOf(text), text).toBeUndefined();
  }
  // Only the prefix is replaced.
  expect(eventIdOf('x_txn_1')).toBe('x_txn_1');
});

it('only a transfer is posted', () => {
  expect((['hold', 'release', 'transfer'] as const).map(layerOf)).toEqual(['pending', 'pending', 'posted']);
});

it('each posting has two entries, the debit first', () => {
  const shared = {
    transactionId: transaction.id,
    amountMinor: 5n,
    currency: 'EUR',
    paymentId: 'pay_1',
    createdAt: transaction.createdAt,
  };
  const posted = { ...shared, number: 0, layer: 'posted' };
  const pending = { ...shared, number: 1, layer: 'pending' };
  const entries = entriesOf(transaction);
  expect(entries).toEqual([
    { ...posted, direction: 'debit', accountId: 'acct_a' },
    { ...posted, direction: 'credit', accountId: 'acct_b' },
    { ...pending, direction: 'debit', accountId: 'acct_a' },
    { ...pending, direction: 'credit', accountId: 'acct_b' },
  ]);
  expect(entries.map(entryIdOf)).toEqual([
    `txn_${UUID}:0:debit`,
    `txn_${UUID}:0:credit`,
    `txn_${UUID}:1:debit`,
    `txn_${UUID}:1:credit`,
  ]);
});

describe('the text of a transaction', () => {
  it('is equal for equal ones', () => {
    expect(canonicalText(structuredClone(transaction))).toBe(canonicalText(transaction));
  });

  const changed = (change: Partial<Posting>) => ({
    postings: [{ ...posting, ...change }, ...transaction.postings.slice(1)],
  });
  it.each<[string, Partial<JournalTransaction>]>([
    ['id', { id: 'txn_2' }],
    ['type', { eventType: 'payment.captured' }],
    ['payment', { paymentId: 'pay_2' }],
    ['millisecond', { createdAt: new Date('2026-01-01T00:00:00.002Z') }],
    ['number of postings', { postings: [posting] }],
    ['no postings', { postings: [] }],
    ['posting number', changed({ number: 2 })],
    ['kind', changed({ kind: 'hold' })],
    ['debit', changed({ debitAccount: 'acct_c' })],
    ['credit', changed({ creditAccount: 'acct_c' })],
    ['amount', changed({ amountMinor: 6n })],
    ['currency', changed({ currency: 'USD' })],
  ])('differs by %s', (_, change) => {
    expect(canonicalText({ ...transaction, ...change })).not.toBe(canonicalText(transaction));
  });
});
