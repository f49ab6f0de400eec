/** Money of a payment on its way back, as clients see it. */
import { type Refund as RefundMessage, RefundState } from '@payflowx/proto/payment';
import { type Static, Type } from 'typebox';
import { PaymentId, RefundId } from './ids.ts';
import { Currency, minorUnits } from './money.ts';
import { named, nullable, ref } from './named.ts';
import { Failure } from './payment.ts';
import { declinedRefundProblem } from './problem.ts';
import { emptyAsNull, nullableText, time, timeJson } from './text.ts';
import { wireNames } from './wire-names.ts';

const REFUND_STATES = wireNames(
  'Where the refund is in its life. FAILED: it was declined, and nothing moved.',
  {
    [RefundState.PENDING]: 'PENDING',
    [RefundState.COMPLETED]: 'COMPLETED',
    [RefundState.FAILED]: 'FAILED',
  },
);

export const Refund = named(
  'Refund',
  Type.Object({
    id: ref(RefundId),
    payment_id: ref(PaymentId),
    state: REFUND_STATES.schema,
    amount: minorUnits('What goes back.'),
    currency: ref(Currency),
    reason: nullableText('From who asked for it, for people.'),
    failure: nullable(Failure),
    created_at: time('When it was asked for.'),
    updated_at: time('When it last changed.'),
  }),
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
  };
}
