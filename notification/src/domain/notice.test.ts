import { describe, expect, it } from 'vitest';
import { noticesOf as noticesIn, type PaymentStep } from './notice.ts';
import { STEP } from './payment-step.testing.ts';

const noticesOf = (of: PaymentStep) => noticesIn(of, () => 'en');

/** Without texts, and without a failure. */
const step: PaymentStep = {
  ...STEP,
  occurredAt: new Date(0),
  failure: { code: '', message: '' },
  description: '',
  reference: '',
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

  it('have all that the inbox shows, and the reference of the payer only for the payer', () => {
    const shared = {
      ...{ eventId: 'evt_1', paymentId: 'pay_1', eventType: 'payment.completed', language: 'en' },
      ...{ amountMinor: 1250n, currency: 'EUR', createdAt: new Date(0), description: 'Rent' },
    };
    expect(noticesOf({ ...step, description: 'Rent', reference: 'R-1' })).toEqual([
      {
        ...shared,
        ...{
          side: 'sender',
          recipientId: 'usr_a',
          accountId: 'acct_a',
          reference: 'R-1',
          isForeignText: false,
        },
        ...{ title: 'Payment sent', body: 'Your payment of €12.50 was sent.' },
      },
      {
        ...shared,
        ...{
          side: 'receiver',
          recipientId: 'usr_b',
          accountId: 'acct_b',
          reference: '',
          isForeignText: true,
        },
        ...{ title: 'Payment received', body: 'You received €12.50.' },
      },
    ]);
  });

  it('go to both sides of a collection that was declined, without the text of a rule for the payee', () => {
    const failure = { code: 'RULE_DECLINED', message: 'Ask for Mary.' };
    const notices = noticesOf({ ...step, type: 'payment.failed', isCollected: true, failure });
    expect(notices.map(({ side, body }) => [side, body])).toEqual([
      ['sender', 'A payee tried to collect €12.50 by your mandate. It was declined. Ask for Mary.'],
      ['receiver', 'Your collection of €12.50 was declined. A rule of the platform declines this payment.'],
    ]);
  });

  it('of a collection have the reference of the payee only for the payee', () => {
    const notices = noticesOf({ ...step, isCollected: true, reference: 'R-1' });
    expect(notices.map(({ reference, isForeignText }) => [reference, isForeignText])).toEqual([
      ['', true],
      ['R-1', false],
    ]);
  });

  it('are each in the language of their recipient', () => {
    const languages = noticesIn(step, (userId) => (userId === 'usr_a' ? 'de' : 'en'));
    expect(languages.map(({ language, title }) => [language, title])).toEqual([
      ['de', 'Zahlung gesendet'],
      ['en', 'Payment received'],
    ]);
  });

  it('are not sent for an initiated payment', () => {
    expect(noticesOf({ ...step, type: 'payment.initiated' })).toEqual([]);
  });

  it('are not sent to the external account', () => {
    const deposit = { ...step, sender: { accountId: 'external:EUR', ownerId: '' } };
    expect(noticesOf(deposit).map(({ side }) => side)).toEqual(['receiver']);
  });
});
