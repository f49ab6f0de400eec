import { describe, expect, it } from 'vitest';
import { noticesOf as noticesIn, type PaymentStep } from './notice.ts';

const noticesOf = (of: PaymentStep) => noticesIn(of, () => 'en');

const step: PaymentStep = {
  eventId: 'evt_1',
  type: 'payment.completed',
  occurredAt: new Date(0),
  paymentId: 'pay_1',
  version: 2n,
  amountMinor: 1250n,
  movedMinor: 1250n,
  capturedMinor: 1250n,
  freedMinor: 0n,
  currency: 'EUR',
  failure: { code: '', message: '' },
  description: '',
  reference: '',
  content: Buffer.alloc(0),
  sender: { accountId: 'acct_a', ownerId: 'usr_a' },
  receiver: { accountId: 'acct_b', ownerId: 'usr_b' },
};

describe('notices of a step', () => {
  it('go to both sides of a completed payment', () => {
    expect(noticesOf(step).map(({ recipientId, accountId, body }) => [recipientId, accountId, body])).toEqual(
      [
        ['usr_a', 'acct_a', 'Your payment of €12.50 was sent.'],
        ['usr_b', 'acct_b', 'You received €12.50.'],
      ],
    );
  });

  it('go only to the sender of a declined payment, with the reason', () => {
    const notices = noticesOf({
      ...step,
      type: 'payment.failed',
      failure: { code: 'X', message: 'The balance is too low.' },
    });
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatchObject({
      side: 'sender',
      body: 'Your payment of €12.50 was declined. The balance is too low.',
    });
  });

  it('are not sent for an initiated payment', () => {
    expect(noticesOf({ ...step, type: 'payment.initiated' })).toEqual([]);
  });

  it('are not sent to the external account', () => {
    const deposit = { ...step, sender: { accountId: 'external:EUR', ownerId: '' } };
    expect(noticesOf(deposit).map(({ side }) => side)).toEqual(['receiver']);
  });
});
