/** A payment as clients see it; deposits and withdrawals are payments too. */
import { CaptureMode, type Decision as DecisionMessage, Outcome } from '@payflowx/proto/authorization';
import { PaymentKind, type Payment as PaymentMessage, PaymentState } from '@payflowx/proto/payment';
import { type Static, Type } from 'typebox';
import { AnyAccountId, PaymentId } from './ids.ts';
import { Currency, count, minorUnits } from './money.ts';
import { named, nullable, ref } from './named.ts';
import { declinedProblem } from './problem.ts';
import { emptyAsNull, nullableTimeJson, time, timeJson } from './text.ts';
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

const OUTCOMES = wireNames('What was decided.', {
  [Outcome.APPROVED]: 'approved',
  [Outcome.DECLINED]: 'declined',
});

const nullableText = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], description });
const nullableTime = (description: string) =>
  Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time', description });
const texts = (description: string) =>
  Type.Unsafe<Record<string, string>>({
    type: 'object',
    additionalProperties: { type: 'string' },
    description,
  });

const Decision = Type.Object(
  {
    outcome: OUTCOMES.schema,
    code: nullableText('The decline code; null if approved.'),
    message: nullableText('The code in a sentence; null if approved.'),
    checks: Type.Array(
      Type.Object({
        name: Type.String(),
        passed: Type.Boolean(),
        inputs: texts('The figures it looked at.'),
      }),
      { description: 'Every check that was made, in order.' },
    ),
    decided_at: time('When it was decided.'),
  },
  { description: 'What was decided and why; null until then.' },
);

const Failure = Type.Object(
  {
    code: Type.String({ description: 'A decline code.', examples: ['INSUFFICIENT_BALANCE'] }),
    message: Type.String({ description: 'The code in a sentence.' }),
  },
  { description: 'Why the payment is FAILED; null if it is not.' },
);

export const Payment = named(
  'Payment',
  Type.Object({
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
    reference: nullableText('From the payer, for its own systems.'),
    metadata: texts('From the payer.'),
    failure: nullable(Failure),
    decision: nullable(Decision),
    expires_at: nullableTime('When the hold ends; null while no money is held.'),
    version: count('Rises by one with each change.'),
    created_at: time('When it was asked for.'),
    updated_at: time('When it last changed.'),
  }),
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

/** Movements and owners stay inside: the ledger shows the one, and the other is for notifications only. */
function decisionJson({
  outcome,
  code,
  message,
  checks,
  decidedAt,
}: DecisionMessage): Static<typeof Decision> {
  return {
    outcome: OUTCOMES.nameOf(outcome),
    code: emptyAsNull(code),
    message: emptyAsNull(message),
    checks: checks.map(({ name, passed, inputs }) => ({ name, passed, inputs })),
    decided_at: timeJson(decidedAt),
  };
}
