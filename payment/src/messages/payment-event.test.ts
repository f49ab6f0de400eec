import { newId, unpackParcel } from '@payflowx/chassis';
import { PaymentEvent } from '@payflowx/proto/payment';
import { describe, expect, it } from 'vitest';
import { begin, NO_NOTES, type Operation } from '../domain/operation.ts';
import { toPaymentOrder } from '../domain/order.ts';
import type { Change } from '../domain/payment.ts';
import { decide, initiate } from '../domain/payment.ts';
import { toOutboxRows, toParcels } from './payment-event.ts';

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
    captureBy: 'PAYER',
    description: widest(500),
    reference: widest(100),
    metadata: Object.fromEntries(pairs),
    holdSeconds: 2_592_000,
    mandateId: '',
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
  return { change, rows: toOutboxRows(change, decision.eventId) };
}

it.each(['payment-events', 'payment-notifications'])(
  'the largest possible message in %s is far below the limit of a broker: a decision that is too large is left out',
  (name) => {
    const { change, rows } = largestEvent();
    const row = rows.find(({ destination }) => destination === name);
    if (!row) throw new Error('no event');
    const { payload, ...attributes } = row.event;
    const bytes = payload.length + Buffer.byteLength(JSON.stringify(attributes));
    expect(bytes).toBeGreaterThan(40_000);
    expect(bytes).toBeLessThan(KAFKA_LIMIT / 20);
    const event = PaymentEvent.decode(payload);
    expect(event.decision).toHaveLength(0);
    expect(event.payment).toMatchObject({
      id: change.payment.id,
      metadata: change.payment.metadata,
      failure: { code: 'RULE_DECLINED' },
      decision: undefined,
    });
  },
);

describe('the event of', () => {
  const { change } = largestEvent();
  const { payment, event } = change;
  const rowsOf = (given: Partial<Change['event']>, changed: Partial<Change['payment']> = {}) =>
    toOutboxRows({ payment: { ...payment, ...changed }, event: { ...event, ...given } }, 'evt_1');
  const decoded = (rows: ReturnType<typeof rowsOf>) =>
    PaymentEvent.decode(rows[0]?.event.payload ?? Buffer.of());

  it('a start names no owner, who is only claimed, and goes only to Kafka', () => {
    const rows = rowsOf({ type: 'payment.initiated' }, { fromOwnerId: 'usr_1', toOwnerId: undefined });
    expect(rows.map(({ destination }) => destination)).toEqual(['payment-events']);
    expect(decoded(rows)).toMatchObject({ fromOwnerId: '', toOwnerId: '', refundId: '' });
  });

  it('a refund names it, both owners and what moved', () => {
    const movements = [
      { kind: 'TRANSFER' as const, fromAccount: 'acct_b', toAccount: 'acct_a', amountMinor: 5n },
    ];
    const rows = rowsOf(
      { type: 'payment.refunded', refundId: 'ref_1', movements },
      { fromOwnerId: 'usr_1', toOwnerId: 'usr_2' },
    );
    expect(rows.map(({ destination }) => destination)).toEqual(['payment-events', 'payment-notifications']);
    expect(decoded(rows)).toMatchObject({
      fromOwnerId: 'usr_1',
      toOwnerId: 'usr_2',
      refundId: 'ref_1',
      movements: [{ kind: 3, fromAccount: 'acct_b', toAccount: 'acct_a', amountMinor: 5n }],
    });
    expect(rows[0]?.event.source).toBe('/payflowx/payment');
  });

  it('a payment without owners names none', () => {
    const rows = rowsOf({ type: 'payment.completed' }, { fromOwnerId: undefined, toOwnerId: undefined });
    expect(decoded(rows)).toMatchObject({ fromOwnerId: '', toOwnerId: '' });
  });

  it('a payment whose payer is unknown is not notified', () => {
    const failure = { code: 'FROM_ACCOUNT_NOT_FOUND', message: '' };
    expect(rowsOf({ type: 'payment.failed' }, { failure })).toHaveLength(1);
    expect(rowsOf({ type: 'payment.failed' })).toHaveLength(2);
  });

  it('a notice carries the refund that it is about, with its requester, and no capture', () => {
    const origin = { callerId: 'usr_2', requestId: 'k', traceparent: '' };
    const start = { id: 'ref_1', origin, now: new Date() };
    const completed = { ...payment, state: 'COMPLETED' as const, capturedMinor: 5n };
    const terms = { kind: 'REFUND', amountMinor: 5n, final: false, reason: '', notes: NO_NOTES } as const;
    const refund = begin(completed, [], terms, start);
    const noticeOf = (operation: Operation) => {
      const rows = toOutboxRows(
        { payment, event: { ...event, type: 'payment.refunded' } },
        'evt_1',
        operation,
      );
      return PaymentEvent.decode(rows[1]?.event.payload ?? Buffer.of());
    };
    expect(noticeOf(refund)).toMatchObject({ refund: { id: 'ref_1' }, refundRequesterId: 'usr_2' });
    const capture = noticeOf({ ...refund, kind: 'CAPTURE' });
    expect([capture.refund, capture.refundRequesterId]).toEqual([undefined, '']);
  });

  it('a change that users are notified of has its notice in a parcel too, and another one has none', () => {
    const { notice } = toParcels(change, 'evt_1');
    expect(unpackParcel({ bytes: notice ?? Buffer.of() })).toMatchObject([{ id: 'evt_1', key: payment.id }]);
    const start = { payment, event: { ...event, type: 'payment.initiated' as const } };
    expect(toParcels(start, 'evt_1').notice).toBeUndefined();
  });

  it('a change is the same in a parcel', () => {
    const [inParcel] = unpackParcel({ bytes: toParcels(change, 'evt_1').event });
    const [inRow] = toOutboxRows(change, 'evt_1');
    expect(inParcel).toMatchObject({ id: 'evt_1', type: event.type, key: payment.id });
    expect(Buffer.from(inParcel?.payload ?? [])).toEqual(Buffer.from(inRow?.event.payload ?? []));
  });
});
