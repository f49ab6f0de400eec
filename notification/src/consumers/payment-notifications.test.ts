import { type Movement, MovementKind } from '@payflowx/proto/authorization';
import { Payment, PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import { expect, it } from 'vitest';
import { noticesOf } from '../domain/notice.ts';
import { decodeStep } from './payment-notifications.ts';

const { HOLD, RELEASE, TRANSFER } = MovementKind;

/** Returns the amount and the texts of one step's notices. The payment is of 1,000, and `capturedMinor` has moved so far. */
function noticesOfEvent(
  type: PaymentEventType,
  capturedMinor: bigint,
  moved: [MovementKind, bigint][],
): [bigint, ...string[]] {
  const movements = moved.map(
    ([kind, amountMinor]): Movement => ({ kind, fromAccount: 'acct_a', toAccount: 'acct_b', amountMinor }),
  );
  const blank = Payment.decode(new Uint8Array());
  const event = {
    ...PaymentEvent.decode(new Uint8Array()),
    id: 'evt_1',
    type,
    occurredAt: new Date(),
    payment: { ...blank, id: 'pay_1', currency: 'EUR', amountMinor: 1_000n, capturedMinor },
    movements,
    fromOwnerId: 'usr_a',
    toOwnerId: 'usr_b',
  };
  const step = decodeStep({ payload: Buffer.from(PaymentEvent.encode(event).finish()) });
  return [step.amountMinor, ...noticesOf(step, () => 'en').map(({ title, body }) => `${title}: ${body}`)];
}

/** Every text that a user can get. The first is the payer's, the second the receiver's. */
it.each<[string, PaymentEventType, bigint, [MovementKind, bigint][], [bigint, ...string[]]]>([
  [
    'a hold',
    PaymentEventType.AUTHORIZED,
    0n,
    [[HOLD, 1_000n]],
    [
      1_000n,
      'Payment authorized: €10.00 is reserved for your payment.',
      'Payment authorized: €10.00 is reserved for you.',
    ],
  ],
  [
    'a capture of a part',
    PaymentEventType.CAPTURED,
    500n,
    [
      [RELEASE, 200n],
      [TRANSFER, 200n],
    ],
    [
      200n,
      'Part of a payment sent: €2.00 of your payment was sent.',
      'Part of a payment received: You received €2.00.',
    ],
  ],
  [
    'a payment at once',
    PaymentEventType.COMPLETED,
    1_000n,
    [[TRANSFER, 1_000n]],
    [1_000n, 'Payment sent: Your payment of €10.00 was sent.', 'Payment received: You received €10.00.'],
  ],
  [
    'a single capture of less than the hold',
    PaymentEventType.COMPLETED,
    300n,
    [
      [RELEASE, 1_000n],
      [TRANSFER, 300n],
    ],
    [
      300n,
      'Payment sent: Your payment of €3.00 was sent. €7.00 is available again.',
      'Payment received: You received €3.00.',
    ],
  ],
  [
    'the last capture, which releases the rest',
    PaymentEventType.COMPLETED,
    500n,
    [
      [RELEASE, 800n],
      [TRANSFER, 300n],
    ],
    [
      300n,
      'Payment sent: The last €3.00 of your payment was sent, €5.00 in all. €5.00 is available again.',
      'Payment received: You received the last €3.00 of a payment, €5.00 in all.',
    ],
  ],
  [
    'the expiry of the rest',
    PaymentEventType.COMPLETED,
    300n,
    [[RELEASE, 700n]],
    [
      300n,
      'Payment completed: €3.00 of your payment was sent in all. €7.00 is available again.',
      'Payment completed: You received €3.00 in all.',
    ],
  ],
  [
    'a cancel',
    PaymentEventType.CANCELLED,
    0n,
    [[RELEASE, 1_000n]],
    [
      1_000n,
      'Payment cancelled: €10.00 is available again.',
      'Payment cancelled: A payment of €10.00 to you was cancelled.',
    ],
  ],
  [
    'an expiry',
    PaymentEventType.EXPIRED,
    0n,
    [[RELEASE, 1_000n]],
    [
      1_000n,
      'Payment expired: €10.00 is available again.',
      'Payment expired: A payment of €10.00 to you has expired.',
    ],
  ],
  [
    'a refund',
    PaymentEventType.REFUNDED,
    500n,
    [[TRANSFER, 50n]],
    [50n, 'Refund received: You were refunded €0.50.', 'Refund sent: You refunded €0.50.'],
  ],
  [
    'a decline',
    PaymentEventType.FAILED,
    0n,
    [],
    [1_000n, 'Payment declined: Your payment of €10.00 was declined.'],
  ],
  ['the start of a payment', PaymentEventType.INITIATED, 0n, [], [1_000n]],
])('the notices of %s', (_, type, capturedMinor, movements, notices) => {
  expect(noticesOfEvent(type, capturedMinor, movements)).toEqual(notices);
});
