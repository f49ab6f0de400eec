import { PaymentEventType } from '@payflowx/proto/payment';
import { describe, expect, it } from 'vitest';
import { encode, hold, paymentEvent, release, transfer } from '../../test/neighbours.ts';
import { decodePaymentEvent } from './payment-events.ts';

describe('an event', () => {
  it('becomes a transaction under its own UUID and time', () => {
    const event = paymentEvent([transfer('acct_a', 'acct_b', 1250n)]);
    expect(decodePaymentEvent(encode(event))).toEqual({
      id: event.id.replace('evt_', 'txn_'),
      eventType: 'payment.completed',
      paymentId: event.payment?.id,
      createdAt: event.occurredAt,
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
  });

  it('posts a release with the accounts of its hold exchanged', () => {
    const movements = [hold('acct_a', 'acct_b', 10n), release('acct_a', 'acct_b', 10n)];
    expect(decodePaymentEvent(encode(paymentEvent(movements)))?.postings).toMatchObject([
      { number: 0, kind: 'hold', debitAccount: 'acct_a', creditAccount: 'acct_b' },
      { number: 1, kind: 'release', debitAccount: 'acct_b', creditAccount: 'acct_a' },
    ]);
  });

  it('without movements makes no transaction', () => {
    const event = paymentEvent([], { type: PaymentEventType.INITIATED });
    expect(decodePaymentEvent(encode(event))).toBeUndefined();
  });

  const good = paymentEvent([transfer('acct_a', 'acct_b', 1n)]);
  it.each([
    ['bytes that are not an event', Buffer.from([0xff, 0x00]), /not a PaymentEvent/],
    ['a foreign id', encode({ ...good, id: 'pay_1' }), /not the id of an event/],
    ['an unknown type', encode({ ...good, type: 99 as PaymentEventType }), /unknown type 99/],
    ['no payment', encode({ ...good, payment: undefined }), /names no payment/],
    ['no time', encode({ ...good, occurredAt: undefined }), /has no time/],
    ['an amount of 0', encode({ ...good, movements: [transfer('a', 'b', 0n)] }), /amount 0 is out of range/],
    ['an amount of 2^53', encode({ ...good, movements: [transfer('a', 'b', 2n ** 53n)] }), /out of range/],
    ['the same account twice', encode({ ...good, movements: [transfer('a', 'a', 1n)] }), /are the same/],
    ['a missing account', encode({ ...good, movements: [transfer('', 'b', 1n)] }), /account is missing/],
    [
      'an unknown movement',
      encode({ ...good, movements: [{ ...transfer('a', 'b', 1n), kind: 0 }] }),
      /unknown kind/,
    ],
  ])('with %s is refused and says why', (_, payload, reason) => {
    expect(() => decodePaymentEvent(payload)).toThrow(reason);
  });
});
