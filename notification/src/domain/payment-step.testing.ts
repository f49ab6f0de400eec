/** A step of a payment for unit tests: EUR 12.50 from one user to another. */
import type { PaymentStep } from './notice.ts';

export const STEP: PaymentStep = {
  eventId: 'evt_1',
  type: 'payment.completed',
  occurredAt: new Date('2026-07-01T22:30:00Z'),
  paymentId: 'pay_1',
  version: 2n,
  amountMinor: 1250n,
  movedMinor: 1250n,
  capturedMinor: 1250n,
  freedMinor: 0n,
  currency: 'EUR',
  failure: { code: 'SOMETHING_NEW', message: 'The reason in English.' },
  isCollected: false,
  description: 'Rent',
  reference: 'R-1',
  content: Buffer.alloc(0),
  sender: { accountId: 'acct_a', ownerId: 'usr_a' },
  receiver: { accountId: 'acct_b', ownerId: 'usr_b' },
};
