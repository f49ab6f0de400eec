/** A refund as clients see it. */
import { type Refund as RefundMessage, RefundState } from '@payflowx/proto/payment';
import { type Static, Type } from 'typebox';
import { PaymentId, RefundId } from './ids.ts';
import { Currency, minorUnits } from './money.ts';
import { named, nullable, ref } from './named.ts';
import { Failure } from './payment.ts';
import { declinedRefundProblem } from './problem.ts';
import { emptyAsNull, nullableText, time, timeJson } from './text.ts';
import { wireNames } from './wire-names.ts';

const REFUND_STATES = wireNames('The state of the refund. FAILED: it was declined, and no money moved.', {
  [RefundState.PENDING]: 'PENDING',
  [RefundState.COMPLETED]: 'COMPLETED',
  [RefundState.FAILED]: 'FAILED',
});

const EXAMPLE = {
  id: 'ref_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  payment_id: 'pay_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  state: 'COMPLETED',
  amount: 250,
  currency: 'EUR',
  reason: 'One book was damaged',
  failure: null,
  created_at: '2026-01-31T12:10:00.000Z',
  updated_at: '2026-01-31T12:10:00.000Z',
  client_id: null,
};

export const Refund = named(
  'Refund',
  Type.Object(
    {
      id: ref(RefundId),
      payment_id: ref(PaymentId),
      state: REFUND_STATES.schema,
      amount: minorUnits('The refunded amount.'),
      currency: ref(Currency),
      reason: nullableText('The requester’s reason, for people to read.'),
      failure: nullable(Failure),
      created_at: time('When the refund was requested.'),
      updated_at: time('When the refund last changed.'),
      client_id: nullableText(
        'The API client that requested the refund; null if a person did, or if it acts for another user than the reader.',
      ),
    },
    { examples: [EXAMPLE] },
  ),
);

export const DeclinedRefundProblem = declinedRefundProblem(Refund);

export type RefundJson = Static<typeof Refund>;

export function refundJson(refund: RefundMessage): RefundJson {
  const { failure } = refund;
  return {
    id: refund.id,
    payment_id: refund.paymentId,
    state: REFUND_STATES.nameOf(refund.state),
    amount: refund.amountMinor,
    currency: refund.currency,
    reason: emptyAsNull(refund.reason),
    failure: failure ? { code: failure.code, message: failure.message } : null,
    created_at: timeJson(refund.createdAt),
    updated_at: timeJson(refund.updatedAt),
    client_id: emptyAsNull(refund.clientId),
  };
}
