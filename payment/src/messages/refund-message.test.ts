import { PaymentState, Refund, RefundState } from '@payflowx/proto/payment';
import { expect, it } from 'vitest';
import type { Operation } from '../domain/operation.ts';
import type { Payment } from '../domain/payment.ts';
import { encodeRefund, toRefundMessage } from './refund-message.ts';

const payment = {
  state: 'PARTIALLY_REFUNDED',
  currency: 'EUR',
  capturedMinor: 10n,
  refundedMinor: 5n,
} as Payment;
const now = new Date('2026-01-01T00:00:00Z');
const operation: Operation = {
  id: 'ref_1',
  paymentId: 'pay_1',
  kind: 'REFUND',
  state: 'DECLINED',
  amountMinor: 5n,
  takesRest: false,
  final: false,
  reason: 'broken',
  notes: { reference: 'return-17', metadata: { order: '4711' } },
  failure: { code: 'INSUFFICIENT_BALANCE', message: 'Not enough.' },
  decision: undefined,
  origin: { callerId: 'usr_2', clientId: 'cli_1', requestId: 'key', traceparent: '' },
  attempts: 0,
  createdAt: now,
  updatedAt: new Date(now.getTime() + 1),
};

it('a refund has its state, its reason, its notes, the API client that asked for it, and the payment’s totals', () => {
  expect(toRefundMessage(operation, payment)).toEqual({
    id: 'ref_1',
    paymentId: 'pay_1',
    state: RefundState.FAILED,
    amountMinor: 5n,
    currency: 'EUR',
    reason: 'broken',
    failure: operation.failure,
    createdAt: now,
    updatedAt: operation.updatedAt,
    clientId: 'cli_1',
    reference: 'return-17',
    metadata: { order: '4711' },
    payment: { state: PaymentState.PARTIALLY_REFUNDED, capturedMinor: 10n, refundedMinor: 5n },
  });
  const origin = { ...operation.origin, clientId: undefined };
  expect(toRefundMessage({ ...operation, origin, state: 'PENDING' }, payment)).toMatchObject({
    state: RefundState.PENDING,
    clientId: '',
  });
});

it('a stored refund is the same when it is read', () => {
  const completed: Operation = { ...operation, state: 'COMPLETED', failure: undefined };
  expect(Refund.decode(encodeRefund(completed, payment))).toEqual(toRefundMessage(completed, payment));
});
