import { newId } from '@payflowx/chassis';
import { PaymentEvent } from '@payflowx/proto/payment';
import { expect, it } from 'vitest';
import { toPaymentOrder } from '../domain/order.ts';
import { decide, initiate } from '../domain/payment.ts';
import { toOutboxRows } from './payment-event.ts';

/** The default maximum message size of a Kafka broker. A broker may be configured with less. */
const KAFKA_LIMIT = 1024 * 1024;

/** A character of 4 bytes, the most in UTF-8. */
const widest = (characters: number) => '💶'.repeat(characters);

/** An event of a payment whose fields all have their maximum length. */
function largestEvent() {
  const pairs = Array.from({ length: 20 }, (_, n) => [`${n}`.padStart(2, '0') + widest(38), widest(500)]);
  const order = toPaymentOrder({
    requestId: 'k'.repeat(255),
    fromAccount: newId('acct'),
    toAccount: newId('acct'),
    amountMinor: 9_007_199_254_740_991n,
    currency: 'EUR',
    captureMode: 'MANUAL',
    description: widest(500),
    reference: widest(100),
    metadata: Object.fromEntries(pairs),
    holdSeconds: 2_592_000,
  });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const caller = { id: newId('usr'), roles: ['customer' as const] };
  const origin = { caller, requestId: 'k'.repeat(255), traceparent };
  const { payment } = initiate(order, { id: newId('pay'), origin, now: new Date(), holdMs: 5 });
  const decision = {
    eventId: newId('evt'),
    decidedAt: new Date(),
    failure: { code: 'RULE_DECLINED', message: widest(200) },
    movements: [],
    fromOwnerId: newId('usr'),
    toOwnerId: newId('usr'),
    record: Buffer.alloc(3 * KAFKA_LIMIT),
  };
  const change = decide(payment, decision);
  const [row] = toOutboxRows(change, decision.eventId);
  if (!row) throw new Error('no event');
  const { payload, ...attributes } = row.event;
  const bytes = payload.length + Buffer.byteLength(JSON.stringify(attributes));
  return { change, bytes, event: PaymentEvent.decode(payload) };
}

it('the largest possible event is far below the limit of a broker: a decision, which has no bound, is left out', () => {
  const { event, bytes, change } = largestEvent();
  expect(bytes).toBeGreaterThan(40_000);
  expect(bytes).toBeLessThan(KAFKA_LIMIT / 20);
  expect(event.payment).toMatchObject({
    id: change.payment.id,
    metadata: change.payment.metadata,
    failure: { code: 'RULE_DECLINED' },
    decision: undefined,
  });
});
