import { Decision, Outcome } from '@payflowx/proto/authorization';
import { PaymentEvent, Payment as PaymentMessage } from '@payflowx/proto/payment';
import { expect, it } from 'vitest';
import { decide, initiate, PAYMENT_STATES, type Payment } from '../domain/payment.ts';
import { toOutboxRows } from './payment-event.ts';
import { encodePayment, toPaymentMessage } from './payment-message.ts';

const now = new Date('2026-01-01T00:00:00.123Z');
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const { payment: initiated } = initiate(
  {
    kind: 'PAYMENT',
    fromAccount: 'acct_a',
    toAccount: 'acct_b',
    amountMinor: 9_007_199_254_740_991n,
    currency: 'EUR',
    captureMode: 'MANUAL',
    captureBy: 'PAYER',
    description: 'für 💶',
    reference: 'r',
    metadata: { a: '1' },
    holdSeconds: 0,
    mandateId: undefined,
  },
  {
    id: 'pay_1',
    origin: { caller: { id: 'usr_1', roles: ['customer'] }, requestId: 'k', traceparent },
    now,
    holdMs: 5,
  },
);
const record = Decision.encode({
  ...Decision.decode(Buffer.of()),
  outcome: Outcome.APPROVED,
  checks: [{ name: 'balance', passed: true, inputs: { held: '0' } }],
}).finish();
const decision = {
  eventId: 'evt_1',
  decidedAt: now,
  failure: undefined,
  movements: [],
  fromOwnerId: 'usr_1',
  toOwnerId: 'usr_2',
  record,
};

it('a payment with the decision spliced in equals a message that was encoded whole', () => {
  const { payment } = decide(initiated, decision);
  expect(PaymentMessage.decode(encodePayment(payment))).toEqual(toPaymentMessage(payment));
  expect(toPaymentMessage(payment)).toMatchObject({
    decision: { outcome: Outcome.APPROVED },
    expiresAt: new Date(now.getTime() + 5),
  });
});

it('has the end of a hold only while there is one', () => {
  const expiresIn = (state: Payment['state']) => toPaymentMessage({ ...initiated, state }).expiresAt;
  const holding = PAYMENT_STATES.filter((state) => expiresIn(state) !== undefined);
  expect(holding).toEqual(['AUTHORIZED', 'PARTIALLY_CAPTURED']);
});

it('a payment that ended says when, under the name of its end', () => {
  const endOf = (state: Payment['state']) => {
    const { completedAt, cancelledAt, expiredAt } = toPaymentMessage({ ...initiated, state, endedAt: now });
    return { completedAt, cancelledAt, expiredAt };
  };
  const none = { completedAt: undefined, cancelledAt: undefined, expiredAt: undefined };
  expect(endOf('COMPLETED')).toEqual({ ...none, completedAt: now });
  expect(endOf('REFUNDED')).toEqual({ ...none, completedAt: now });
  expect(endOf('CANCELLED')).toEqual({ ...none, cancelledAt: now });
  expect(endOf('EXPIRED')).toEqual({ ...none, expiredAt: now });
});

it('an event carries the payment without its decision, and the attributes of a CloudEvent', () => {
  const change = decide(initiated, decision);
  const rows = toOutboxRows(change, 'evt_1');
  expect(rows.map(({ destination }) => destination)).toEqual(['payment-events', 'payment-notifications']);
  const [row] = rows;
  expect(PaymentEvent.decode(row?.event.payload ?? Buffer.of())).toMatchObject({
    id: 'evt_1',
    occurredAt: now,
    payment: { ...toPaymentMessage(change.payment), decision: undefined },
  });
  expect(row?.event).toMatchObject({
    id: 'evt_1',
    type: 'payment.authorized',
    subject: 'pay_1',
    key: 'pay_1',
    traceparent,
  });
});

it('only the message for notification has the decision, and it is the message for Kafka otherwise', () => {
  const change = decide(initiated, decision);
  const [event, notice] = toOutboxRows(change, 'evt_1').map(({ event }) =>
    PaymentEvent.decode(event.payload),
  );
  expect(event).toMatchObject({ decision: new Uint8Array(), requesterId: '', refund: undefined });
  const { decision: noticed, requesterId, ...shared } = notice ?? PaymentEvent.decode(new Uint8Array());
  expect(Buffer.from(noticed)).toEqual(Buffer.from(record));
  expect(requesterId).toBe(change.payment.origin.caller.id);
  expect({ ...shared, decision: new Uint8Array(), requesterId: '' }).toEqual(event);
});
