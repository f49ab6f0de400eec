import { PaymentEvent, PaymentEventType, StepOrigin } from '@payflowx/proto/payment';
import { describe, expect, it } from 'vitest';
import { begin, beginExpiry, type Operation, type OperationOrigin, type Terms } from '../domain/operation.ts';
import type { Order } from '../domain/order.ts';
import { type Change, decide, initiate, type Payment } from '../domain/payment.ts';
import { decodePastEvent } from './past-event.ts';
import { toOutboxRows } from './payment-event.ts';

const DEFAULT_HOLD_MS = 3_600_000;
const now = new Date('2026-01-01T00:00:00.123Z');
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const order: Order = {
  ...{ kind: 'PAYMENT', fromAccount: 'acct_a', toAccount: 'acct_b', amountMinor: 1_000n, currency: 'EUR' },
  ...{ captureMode: 'AUTOMATIC', captureBy: 'PAYER', description: 'Lunch', reference: 'R-1' },
  ...{ metadata: { note: 'mine' }, holdSeconds: 0, mandateId: undefined },
};
const caller = { id: 'usr_1', roles: ['customer', 'auditor'] as const };
const origin = { caller, requestId: 'key-1', traceparent };

const begun = (of: Order, by: object = {}) =>
  initiate(of, {
    ...{ id: 'pay_1', now, holdMs: DEFAULT_HOLD_MS },
    origin: { ...origin, caller: { ...caller, ...by } },
  });
const held = { ...order, captureMode: 'MANUAL', captureBy: 'PAYEE' } as const;
const decided = (): Change =>
  decide(begun(held).payment, {
    ...{ eventId: 'evt_2', decidedAt: now, failure: undefined, movements: [] },
    ...{ fromOwnerId: 'usr_1', toOwnerId: 'usr_2', record: Buffer.from([]) },
  });

function payloadOf(change: Change, operation?: Operation): Buffer {
  const [row] = toOutboxRows(change, 'evt_1', operation);
  return row?.event.payload as Buffer;
}
const read = (payload: Uint8Array, headers: Record<string, string> = { traceparent }) =>
  decodePastEvent({ payload: Buffer.from(payload), headers }, DEFAULT_HOLD_MS);

describe('the start of a payment', () => {
  it.each<[string, Order, object?]>([
    ['captured at once', order],
    ['held for the default time', held],
    ['held for its own time', { ...held, captureBy: 'PAYER', holdSeconds: 60 }],
    ['of a deposit', { ...order, kind: 'DEPOSIT', fromAccount: 'external:EUR' }, { roles: ['operator'] }],
    ['by an API client', order, { clientId: 'cli_1' }],
  ])('%s is read back as it was stored', (_, of, by) => {
    const change = begun(of, by);
    const past = read(payloadOf(change));
    expect(past).toMatchObject({ paymentId: 'pay_1', version: 1n, isIncomplete: false });
    expect(past.start).toEqual({ eventId: 'evt_1', order: of, change });
    expect(past.operation).toBeUndefined();
  });
});

describe('an operation', () => {
  const notes = { reference: 'R-2', metadata: { till: '7' } };
  const by: OperationOrigin = { callerId: 'usr_2', clientId: 'cli_1', requestId: 'key-2', traceparent };
  const none = { ...by, callerId: undefined, clientId: undefined, requestId: undefined, byOperator: false };
  const terms = (kind: Terms['kind']): Terms => ({
    ...{ kind, amountMinor: undefined, final: kind === 'CAPTURE', reason: 'as agreed', notes },
  });
  const { payment } = decided();
  const captured: Payment = { ...payment, state: 'COMPLETED', capturedMinor: 1_000n };
  it.each<[string, Operation]>([
    [
      'a capture',
      begin(payment, [], terms('CAPTURE'), { id: 'cap_1', now, origin: { ...by, byOperator: true } }),
    ],
    [
      'a cancel',
      begin(payment, [], terms('CANCEL'), { id: 'can_1', now, origin: { ...by, byOperator: false } }),
    ],
    [
      'a refund',
      begin(captured, [], terms('REFUND'), { id: 'ref_1', now, origin: { ...none, callerId: 'u' } }),
    ],
    ['an expiry', beginExpiry(payment, { id: 'exp_1', now, origin: none })],
  ])('%s is read back as it was accepted, without its outcome', (_, operation) => {
    const after = { ...payment, version: 3n };
    const event = { type: 'payment.captured', occurredAt: now, movements: [], traceparent } as const;
    const past = read(payloadOf({ payment: after, event }, operation));
    expect(past).toEqual({
      ...{ paymentId: 'pay_1', version: 3n, isIncomplete: false },
      owners: { from: 'usr_1', to: 'usr_2' },
      operation,
    });
  });

  it('must have the id of one', () => {
    const event = PaymentEvent.decode(payloadOf(decided()));
    const origin = { ...StepOrigin.decode(new Uint8Array()), operationId: 'pay_1' };
    expect(() => read(PaymentEvent.encode({ ...event, origin }).finish())).toThrow(
      '"pay_1" is not the id of an operation.',
    );
  });
});

describe('an event without an origin', () => {
  const event = PaymentEvent.decode(payloadOf(decided()));
  const encoded = (changes: { type?: PaymentEventType; version?: bigint }) => {
    const { type = event.type, version = 2n } = changes;
    const payment = event.payment && { ...event.payment, version };
    return PaymentEvent.encode({ ...event, type, payment }).finish();
  };

  it('is complete only if it announces the decision about the payment', () => {
    const isIncomplete = (changes: Parameters<typeof encoded>[0]) => read(encoded(changes)).isIncomplete;
    expect(isIncomplete({})).toBe(false);
    expect(isIncomplete({ version: 3n })).toBe(true);
    expect(isIncomplete({ type: PaymentEventType.INITIATED, version: 1n })).toBe(true);
    expect(Object.keys(read(encoded({})))).not.toContain('operation');
  });

  it('names no owner that it does not have', () => {
    const ownerless = PaymentEvent.encode({ ...event, fromOwnerId: '', toOwnerId: '' }).finish();
    expect(read(ownerless).owners).toEqual({ from: undefined, to: undefined });
  });
});

it('an event is refused without its payment, and with a code that is not known', () => {
  const start = PaymentEvent.decode(payloadOf(begun(order)));
  const without = PaymentEvent.encode({ ...start, payment: undefined }).finish();
  expect(() => read(without)).toThrow('The event has no payment.');
  const unknown = { ...start, payment: start.payment && { ...start.payment, kind: 99 } };
  expect(() => read(PaymentEvent.encode(unknown as PaymentEvent).finish())).toThrow(
    'The event has the unknown code 99.',
  );
});

it('an event without a trace has an empty one', () => {
  expect(read(payloadOf(begun(order)), {}).start?.change.event.traceparent).toBe('');
});
