/** A payment as clients see it. Deposits and withdrawals are payments too. */
import { CaptureMode } from '@payflowx/proto/authorization';
import { PaymentKind, type Payment as PaymentMessage, PaymentState } from '@payflowx/proto/payment';
import { type Static, Type } from 'typebox';
import { DECISION_EXAMPLE, Decision, decisionJson } from './decision.ts';
import { AnyAccountId, PaymentId } from './ids.ts';
import { Currency, count, minorUnits } from './money.ts';
import { named, nullable, ref } from './named.ts';
import { declinedProblem } from './problem.ts';
import { emptyAsNull, nullableText, nullableTime, nullableTimeJson, texts, time, timeJson } from './text.ts';
import { wireNames } from './wire-names.ts';

export const STATES = wireNames('Where the payment is in its life.', {
  [PaymentState.INITIATED]: 'INITIATED',
  [PaymentState.AUTHORIZED]: 'AUTHORIZED',
  [PaymentState.PARTIALLY_CAPTURED]: 'PARTIALLY_CAPTURED',
  [PaymentState.COMPLETED]: 'COMPLETED',
  [PaymentState.FAILED]: 'FAILED',
  [PaymentState.CANCELLED]: 'CANCELLED',
  [PaymentState.EXPIRED]: 'EXPIRED',
  [PaymentState.PARTIALLY_REFUNDED]: 'PARTIALLY_REFUNDED',
  [PaymentState.REFUNDED]: 'REFUNDED',
});

const KINDS = wireNames('Between whom money moves.', {
  [PaymentKind.PAYMENT]: 'payment',
  [PaymentKind.DEPOSIT]: 'deposit',
  [PaymentKind.WITHDRAWAL]: 'withdrawal',
});

export const CAPTURES = wireNames('When the money moves: at once, or when it is captured.', {
  [CaptureMode.AUTOMATIC]: 'automatic',
  [CaptureMode.MANUAL]: 'manual',
});

export const Failure = Type.Object(
  {
    code: Type.String({ description: 'A decline code.', examples: ['INSUFFICIENT_BALANCE'] }),
    message: Type.String({ description: 'The code in a sentence.' }),
  },
  { description: 'Why it is FAILED; null if it is not.' },
);

const EXAMPLE = {
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
  description: 'Two books',
  reference: 'order-4711',
  metadata: { order: '4711' },
  failure: null,
  decision: DECISION_EXAMPLE,
  expires_at: null,
  version: 3,
  created_at: '2026-01-31T12:00:00.000Z',
  updated_at: '2026-01-31T12:10:00.000Z',
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
      amount: minorUnits('What was asked for.'),
      currency: ref(Currency),
      amount_captured: minorUnits('What has moved.'),
      amount_refunded: minorUnits('What of it went back.'),
      capture: CAPTURES.schema,
      description: nullableText('From the payer, for people.'),
      reference: nullableText('From the payer, for its own systems. The receiver gets null.'),
      metadata: texts('From the payer. The receiver gets none.'),
      failure: nullable(Failure),
      decision: nullable(
        Decision,
        'What was decided and why; null until then, and for the receiver, whom it does not concern.',
      ),
      expires_at: nullableTime('When the hold ends; null while no money is held.'),
      version: count('Rises by one with each change.'),
      created_at: time('When it was asked for.'),
      updated_at: time('When it last changed.'),
    },
    { examples: [EXAMPLE] },
  ),
);

export const DeclinedProblem = declinedProblem(Payment);

export const paymentSchemas = [Payment, DeclinedProblem];

export type PaymentJson = Static<typeof Payment>;

export function paymentJson(payment: PaymentMessage): PaymentJson {
  const { failure, decision } = payment;
  return {
    id: payment.id,
    kind: KINDS.nameOf(payment.kind),
    state: STATES.nameOf(payment.state),
    from_account: payment.fromAccount,
    to_account: payment.toAccount,
    amount: payment.amountMinor,
    currency: payment.currency,
    amount_captured: payment.capturedMinor,
    amount_refunded: payment.refundedMinor,
    capture: CAPTURES.nameOf(payment.captureMode),
    description: emptyAsNull(payment.description),
    reference: emptyAsNull(payment.reference),
    metadata: payment.metadata,
    failure: failure ? { code: failure.code, message: failure.message } : null,
    decision: decision ? decisionJson(decision) : null,
    expires_at: nullableTimeJson(payment.expiresAt),
    version: payment.version,
    created_at: timeJson(payment.createdAt),
    updated_at: timeJson(payment.updatedAt),
  };
}
