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

export const STATES = wireNames('The state of the payment.', {
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

const KINDS = wireNames('The kind of payment.', {
  [PaymentKind.PAYMENT]: 'payment',
  [PaymentKind.DEPOSIT]: 'deposit',
  [PaymentKind.WITHDRAWAL]: 'withdrawal',
});

export const CAPTURES = wireNames(
  'When the money moves: `automatic` at once, `manual` when it is captured.',
  {
    [CaptureMode.AUTOMATIC]: 'automatic',
    [CaptureMode.MANUAL]: 'manual',
  },
);

export const Failure = Type.Object(
  {
    code: Type.String({ description: 'A decline code.', examples: ['INSUFFICIENT_BALANCE'] }),
    message: Type.String({ description: 'The code in words.' }),
  },
  { description: 'The reason if the state is FAILED, else null.' },
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
      description: nullableText('The payer’s text for people to read.'),
      reference: nullableText('The payer’s reference for its own systems. The receiver gets null.'),
      metadata: texts('The payer’s metadata. The receiver gets an empty object.'),
      failure: nullable(Failure),
      decision: nullable(
        Decision,
        'The decision and its reasons; null before the decision, and always null for the receiver.',
      ),
      expires_at: nullableTime('When the hold expires; null while no money is held.'),
      version: count('Rises by one with each change.'),
      created_at: time('When the payment was requested.'),
      updated_at: time('When the payment last changed.'),
      client_id: nullableText(
        'The API client that requested the payment; null if a person did, or if it acts for another user than the reader.',
      ),
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
    client_id: emptyAsNull(payment.clientId),
  };
}
