import { type Movement, MovementKind } from '@payflowx/proto/authorization';
import { Payment, PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import { expect, it } from 'vitest';
import { decodeStep } from './payment-notifications.ts';

const { HOLD, RELEASE, TRANSFER } = MovementKind;

/** The amount that is told of a step of a payment of 1,000, of which `capturedMinor` has moved by then. */
function amountTold(type: PaymentEventType, capturedMinor: bigint, moved: [MovementKind, bigint][]): bigint {
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
  };
  return decodeStep({ payload: Buffer.from(PaymentEvent.encode(event).finish()) }).amountMinor;
}

it.each<[string, PaymentEventType, bigint, [MovementKind, bigint][], bigint]>([
  ['a hold what is set aside', PaymentEventType.AUTHORIZED, 0n, [[HOLD, 1_000n]], 1_000n],
  [
    'a capture what it moved',
    PaymentEventType.CAPTURED,
    500n,
    [
      [RELEASE, 200n],
      [TRANSFER, 200n],
    ],
    200n,
  ],
  [
    'a completion all that moved',
    PaymentEventType.COMPLETED,
    500n,
    [
      [RELEASE, 800n],
      [TRANSFER, 300n],
    ],
    500n,
  ],
  ['a completion by expiry what had moved before', PaymentEventType.COMPLETED, 300n, [[RELEASE, 700n]], 300n],
  ['a cancel what it gave back', PaymentEventType.CANCELLED, 0n, [[RELEASE, 1_000n]], 1_000n],
  ['a refund what went back', PaymentEventType.REFUNDED, 500n, [[TRANSFER, 50n]], 50n],
  ['a decline what was asked for', PaymentEventType.FAILED, 0n, [], 1_000n],
])('tells of %s', (_, type, capturedMinor, movements, amount) => {
  expect(amountTold(type, capturedMinor, movements)).toBe(amount);
});
