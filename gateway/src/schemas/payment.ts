/** A payment as clients see it. Deposits and withdrawals are payments too. */
import { DECLINES } from '@payflowx/proto/declines';
import type { Payment as PaymentMessage } from '@payflowx/proto/payment';
import {
  CAPTURE_BY_NAMES,
  CAPTURE_NAMES,
  PAYMENT_KIND_NAMES,
  PAYMENT_STATE_NAMES,
  paymentJson as sharedPaymentJson,
} from '@payflowx/proto/payment-json';
import { type Static, Type } from 'typebox';
import { DECISION_EXAMPLE, Decision } from './decision.ts';
import { AnyAccountId, PaymentId } from './ids.ts';
import { Currency, count, minorUnits } from './money.ts';
import { named, nullable, ref } from './named.ts';
import { NEW_VALUES, openEnum } from './open-enum.ts';
import { declinedProblem } from './problem.ts';
import { nullableText, nullableTime, texts, time } from './text.ts';
import { wireNames } from './wire-names.ts';

export const STATES = wireNames('The state of the payment.', PAYMENT_STATE_NAMES);

export const KINDS = wireNames('The kind of payment.', PAYMENT_KIND_NAMES);

export const CAPTURES = wireNames(
  'When the money moves: `automatic` at once, `manual` when it is captured.',
  CAPTURE_NAMES,
);

export const CAPTURE_BY = wireNames(
  'The side that captures and cancels: the `payer`, or the `payee`, such as a shop that captures when it ships.',
  CAPTURE_BY_NAMES,
);

export const Failure = Type.Object(
  {
    code: openEnum(Object.keys(DECLINES), {
      description: `A decline code. ${NEW_VALUES}`,
      examples: ['INSUFFICIENT_BALANCE'],
    }),
    message: Type.String({ description: 'The code in words.' }),
    retryable: Type.Boolean({
      description:
        'True if a new request with the same data may succeed later: the reason may go away. It needs a new Idempotency-Key, because this outcome is final for its key.',
    }),
  },
  { description: 'The reason if the state is FAILED, else null.' },
);

const PayeeNotes = Type.Object({
  reference: nullableText('The payee’s reference.'),
  metadata: texts('The payee’s metadata.'),
});

export const PAYMENT_EXAMPLE = {
  id: 'pay_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3d',
  kind: 'payment',
  state: 'PARTIALLY_REFUNDED',
  from_account: 'acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3e',
  to_account: 'acct_0198c5b2-7a30-7c41-9d52-0f6b8a1c2e3f',
  amount: 1250,
  currency: 'EUR',
  amount_captured: 1250,
  amount_refunded: 250,
  capture: 'automatic',
  capture_by: 'payer',
  description: 'Two books',
  reference: 'order-4711',
  metadata: { order: '4711' },
  mandate_id: null,
  payee_notes: null,
  failure: null,
  decision: DECISION_EXAMPLE,
  expires_at: null,
  completed_at: '2026-01-31T12:00:00.000Z',
  cancelled_at: null,
  expired_at: null,
  version: 3,
  created_at: '2026-01-31T12:00:00.000Z',
  updated_at: '2026-01-31T12:10:00.000Z',
  client_id: null,
};

export const Payment = named(
  'Payment',
  Type.Object(
    {
      id: ref(PaymentId),
      kind: KINDS.schema,
      state: STATES.schema,
      from_account: ref(AnyAccountId),
      to_account: ref(AnyAccountId),
      amount: minorUnits('The requested amount.'),
      currency: ref(Currency),
      amount_captured: minorUnits('The captured amount.'),
      amount_refunded: minorUnits('The refunded part of it.'),
      capture: CAPTURES.schema,
      capture_by: CAPTURE_BY.schema,
      description: nullableText('A text of the side that made the payment, for people to read.'),
      reference: nullableText(
        'Your side’s own reference, for its systems; the payer’s for operators and auditors. `PATCH /v1/payments/{id}` changes it.',
      ),
      metadata: texts(
        'Your side’s own metadata; the payer’s for operators and auditors. The side that did not make the payment has none at first.',
      ),
      mandate_id: nullableText(
        'The mandate by which the payee collected, or tried to; null if the payer paid.',
      ),
      payee_notes: nullable(
        PayeeNotes,
        'The payee’s notes, for operators and auditors. Null for others, and until the payee sets some.',
      ),
      failure: nullable(Failure),
      decision: Type.Optional(
        nullable(
          Decision,
          'The decision and its reasons; null before the decision, and null for the receiver. A receiver that collects by a mandate sees its outcome and the checks of the mandate. Lists leave it out unless `expand=decision`.',
        ),
      ),
      expires_at: nullableTime('When the hold expires; null while no money is held.'),
      completed_at: nullableTime(
        'When the payment was completed: its last money was captured, or the rest was released after a capture. Refunds do not change it.',
      ),
      cancelled_at: nullableTime('When the payment was cancelled before any capture.'),
      expired_at: nullableTime('When the hold expired before any capture.'),
      version: count('Rises by one with each change.'),
      created_at: time('When the payment was requested.'),
      updated_at: time('When the payment last changed.'),
      client_id: nullableText(
        'The API client that requested the payment; null if a person did, or if it acts for another user than the reader.',
      ),
    },
    { examples: [PAYMENT_EXAMPLE] },
  ),
);

export const DeclinedProblem = declinedProblem(Payment);

export const paymentSchemas = [Payment, DeclinedProblem];

export type PaymentJson = Static<typeof Payment>;

export const paymentJson = (payment: PaymentMessage): PaymentJson => sharedPaymentJson(payment);

/** Without the decision, which is more than half of a page. */
export function listedPaymentJson(payment: PaymentMessage): PaymentJson {
  const { decision: _, ...listed } = paymentJson(payment);
  return listed;
}
