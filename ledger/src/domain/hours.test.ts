import { expect, it } from 'vitest';
import { hourlyChanges, hourOf } from './hours.ts';
import type { JournalTransaction, Posting } from './journal.ts';

const at = (text: string) => new Date(`2026-01-01T${text}Z`);
const transfer = (amountMinor: bigint): Posting => ({
  number: 0,
  kind: 'transfer',
  debitAccount: 'acct_a',
  creditAccount: 'acct_b',
  amountMinor,
  currency: 'EUR',
});
const transaction = (createdAt: Date, posting: Posting): JournalTransaction => ({
  id: 'txn_1',
  eventType: 'payment.completed',
  paymentId: 'pay_1',
  createdAt,
  postings: [posting],
});

it('an hour begins at its first moment', () => {
  for (const text of ['01:00:00.000', '01:00:00.001', '01:59:59.999']) {
    expect(hourOf(at(text))).toEqual(at('01:00:00.000'));
  }
  expect(hourOf(new Date(-1))).toEqual(new Date(-3_600_000));
});

it('changes are summed by account and hour, posted and pending apart', () => {
  const changes = hourlyChanges([
    transaction(at('01:00:00.000'), transfer(5n)),
    transaction(at('01:59:59.999'), transfer(6n)),
    transaction(at('02:00:00.000'), { ...transfer(7n), kind: 'hold' }),
  ]);
  const one = { currency: 'EUR', hour: at('01:00:00.000'), pendingMinor: 0n };
  const two = { currency: 'EUR', hour: at('02:00:00.000'), postedMinor: 0n };
  expect(changes).toEqual([
    { ...one, accountId: 'acct_a', postedMinor: -11n },
    { ...one, accountId: 'acct_b', postedMinor: 11n },
    { ...two, accountId: 'acct_a', pendingMinor: -7n },
    { ...two, accountId: 'acct_b', pendingMinor: 7n },
  ]);
  expect(hourlyChanges([])).toEqual([]);
});
