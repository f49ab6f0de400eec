/** A refund as clients see it. */
import type { Refund as RefundMessage } from '@payflowx/proto/payment';
import { REFUND_STATE_NAMES, refundJson as sharedRefundJson } from '@payflowx/proto/payment-json';
import { type Static, Type } from 'typebox';
import { PaymentId, RefundId } from './ids.ts';
import { Currency, minorUnits } from './money.ts';
import { named, nullable, ref } from './named.ts';
import { notes } from './notes.ts';
import { Failure } from './payment.ts';
import { PaymentTotals } from './payment-totals.ts';
import { declinedRefundProblem } from './problem.ts';
import { nullableText, time } from './text.ts';
import { wireNames } from './wire-names.ts';

export const REFUND_STATES = wireNames(
  'The state of the refund. FAILED: it was declined, and no money moved.',
  REFUND_STATE_NAMES,
);

const EXAMPLE = {
  id: 'ref_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  payment_id: 'pay_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  state: 'COMPLETED',
  amount: 250,
  currency: 'EUR',
  reason: 'One book was damaged',
  reference: 'return-17',
  metadata: { order: '4711' },
  failure: null,
  payment: { state: 'PARTIALLY_REFUNDED', amount_captured: 1250, amount_refunded: 250 },
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
      ...notes,
      failure: nullable(Failure),
      payment: nullable(PaymentTotals),
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

export const refundJson = (refund: RefundMessage): RefundJson => sharedRefundJson(refund);
