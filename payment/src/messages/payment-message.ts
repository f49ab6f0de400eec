/** Translates a payment to the message of the contract, for responses, stored responses and events. */
import { CaptureMode, Decision } from '@payflowx/proto/authorization';
import {
  CaptureBy,
  PaymentKind,
  Payment as PaymentMessage,
  PaymentState,
  type PaymentTotals,
} from '@payflowx/proto/payment';
import { HOLDING_STATES, type Payment } from '../domain/payment.ts';

export const STATE_CODES = {
  INITIATED: PaymentState.INITIATED,
  AUTHORIZED: PaymentState.AUTHORIZED,
  PARTIALLY_CAPTURED: PaymentState.PARTIALLY_CAPTURED,
  COMPLETED: PaymentState.COMPLETED,
  FAILED: PaymentState.FAILED,
  CANCELLED: PaymentState.CANCELLED,
  EXPIRED: PaymentState.EXPIRED,
  PARTIALLY_REFUNDED: PaymentState.PARTIALLY_REFUNDED,
  REFUNDED: PaymentState.REFUNDED,
} as const satisfies Record<Payment['state'], PaymentState>;

export const KIND_CODES = {
  PAYMENT: PaymentKind.PAYMENT,
  DEPOSIT: PaymentKind.DEPOSIT,
  WITHDRAWAL: PaymentKind.WITHDRAWAL,
} as const satisfies Record<Payment['kind'], PaymentKind>;

export const CAPTURE_MODE_CODES = {
  AUTOMATIC: CaptureMode.AUTOMATIC,
  MANUAL: CaptureMode.MANUAL,
} as const satisfies Record<Payment['captureMode'], CaptureMode>;

/** The default is left out of the message. */
const CAPTURE_BY_CODES = {
  PAYER: CaptureBy.UNSPECIFIED,
  PAYEE: CaptureBy.PAYEE,
} as const satisfies Record<Payment['captureBy'], CaptureBy>;

export function toPaymentMessage(payment: Payment): PaymentMessage {
  const { decision } = payment;
  return { ...withoutDecision(payment), decision: decision && Decision.decode(decision) };
}

/** The state and sums that captures and refunds carry. */
export function toTotals({ state, capturedMinor, refundedMinor }: Payment): PaymentTotals {
  return { state: STATE_CODES[state], capturedMinor, refundedMinor };
}

/** Wire tag of field 15 (decision), length-delimited. */
const DECISION_TAG = (15 << 3) | 2;

/** Encodes the message. The decision is inserted as authorization encoded it, so that it need not be decoded. */
export function encodePayment(payment: Payment): Uint8Array {
  const writer = PaymentMessage.encode(withoutDecision(payment));
  if (payment.decision) writer.uint32(DECISION_TAG).bytes(payment.decision);
  return writer.finish();
}

/** Returns the message without its decision, as events carry it. */
export function withoutDecision(payment: Payment): PaymentMessage {
  return {
    id: payment.id,
    kind: KIND_CODES[payment.kind],
    state: STATE_CODES[payment.state],
    fromAccount: payment.fromAccount,
    toAccount: payment.toAccount,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    capturedMinor: payment.capturedMinor,
    refundedMinor: payment.refundedMinor,
    captureMode: CAPTURE_MODE_CODES[payment.captureMode],
    description: payment.description,
    reference: payment.reference,
    metadata: payment.metadata,
    failure: payment.failure,
    decision: undefined,
    expiresAt: HOLDING_STATES.includes(payment.state) ? payment.holdExpiresAt : undefined,
    version: payment.version,
    createdAt: payment.createdAt,
    updatedAt: payment.updatedAt,
    clientId: payment.origin.caller.clientId ?? '',
    captureBy: CAPTURE_BY_CODES[payment.captureBy],
    payeeNotes: payment.payeeNotes,
    mandateId: payment.mandateId ?? '',
    ...endOf(payment),
  };
}

type End = Pick<PaymentMessage, 'completedAt' | 'cancelledAt' | 'expiredAt'>;

function endOf({ state, endedAt }: Payment): End {
  const none = { completedAt: undefined, cancelledAt: undefined, expiredAt: undefined };
  if (state === 'CANCELLED') return { ...none, cancelledAt: endedAt };
  if (state === 'EXPIRED') return { ...none, expiredAt: endedAt };
  return { ...none, completedAt: endedAt };
}
