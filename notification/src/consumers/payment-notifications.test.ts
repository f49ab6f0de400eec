import { type Movement, MovementKind } from '@payflowx/proto/authorization';
import { Payment, PaymentEvent, PaymentEventType } from '@payflowx/proto/payment';
import { expect, it } from 'vitest';
import { decodeStep } from './payment-notifications.ts';

const { HOLD, RELEASE, TRANSFER } = MovementKind;

/** Returns the amount in the notices of one step. The payment is of 1,000, and `capturedMinor` has moved so far. */
function noticeAmount(
  type: PaymentEventType,
  capturedMinor: bigint,
  moved: [MovementKind, bigint][],
): bigint {
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
  ['a hold has the held amount', PaymentEventType.AUTHORIZED, 0n, [[HOLD, 1_000n]], 1_000n],
  [
    'a capture has the captured amount',
    PaymentEventType.CAPTURED,
    500n,
    [
      [RELEASE, 200n],
      [TRANSFER, 200n],
    ],
    200n,
  ],
  [
    'a completion has the whole captured amount',
    PaymentEventType.COMPLETED,
    500n,
    [
      [RELEASE, 800n],
      [TRANSFER, 300n],
    ],
    500n,
  ],
  [
    'a completion by expiry has the amount captured before',
    PaymentEventType.COMPLETED,
    300n,
    [[RELEASE, 700n]],
    300n,
  ],
  ['a cancel has the released amount', PaymentEventType.CANCELLED, 0n, [[RELEASE, 1_000n]], 1_000n],
  ['a refund has the refunded amount', PaymentEventType.REFUNDED, 500n, [[TRANSFER, 50n]], 50n],
  ['a decline has the requested amount', PaymentEventType.FAILED, 0n, [], 1_000n],
])('the notice of %s', (_, type, capturedMinor, movements, amount) => {
  expect(noticeAmount(type, capturedMinor, movements)).toBe(amount);
});
