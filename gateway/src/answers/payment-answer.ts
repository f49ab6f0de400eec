/**
 * Translates the outcome of a request that moves money to HTTP: 200 or 201 if it is done, 202 if the outcome is unknown yet, 402
 * if it was declined. Marks replays.
 */
import {
  type CancelPaymentResponse,
  type CapturePaymentResponse,
  type CreatePaymentResponse,
  type CreateRefundResponse,
  type Payment,
  PaymentState,
  type Refund,
  RefundState,
} from '@payflowx/proto/payment';
import type { FastifyReply } from 'fastify';
import { ProblemError } from '../problems/problem.ts';
import { type PaymentJson, paymentJson } from '../schemas/payment.ts';
import { type RefundJson, refundJson } from '../schemas/refund.ts';

/** The payment service finishes pending payments within seconds. Earlier polling would not help. */
const RETRY_AFTER_S = '1';

/** Sets status and headers, and returns the body. Throws the 402, which is a problem. */
export function answerCreation(
  { payment, replayed }: Pick<CreatePaymentResponse, 'payment' | 'replayed'>,
  reply: FastifyReply,
): PaymentJson {
  if (!payment) throw new Error('The response of the payment service has no payment.');
  if (replayed) reply.header('idempotent-replayed', 'true');
  if (payment.state === PaymentState.FAILED) throw declined(payment);
  reply.header('location', locationOf(payment));
  if (payment.state === PaymentState.INITIATED) reply.code(202).header('retry-after', RETRY_AFTER_S);
  else reply.code(201);
  return paymentJson(payment);
}

/**
 * Responds to a capture or a cancel with the current payment. If the outcome is not known yet, it is the payment before the step.
 */
export function answerStep(
  { payment, replayed, pending }: CancelPaymentResponse,
  reply: FastifyReply,
): PaymentJson {
  if (!payment) throw new Error('The response of the payment service has no payment.');
  if (replayed) reply.header('idempotent-replayed', 'true');
  if (pending) {
    reply.code(202).header('retry-after', RETRY_AFTER_S).header('location', locationOf(payment));
  }
  return paymentJson(payment);
}

/** Like answerStep. Location names the capture, which can be polled. */
export function answerCapture(response: CapturePaymentResponse, reply: FastifyReply): PaymentJson {
  const body = answerStep(response, reply);
  // Absent from a payment service of the version before.
  if (response.captureId !== '') reply.header('location', `/v1/captures/${response.captureId}`);
  return body;
}

/** Sets status and headers, and returns the body. Throws the 402, which is a problem. */
export function answerRefund({ refund, replayed }: CreateRefundResponse, reply: FastifyReply): RefundJson {
  if (!refund) throw new Error('The response of the payment service has no refund.');
  if (replayed) reply.header('idempotent-replayed', 'true');
  if (refund.state === RefundState.FAILED) throw declinedRefund(refund);
  reply.header('location', refundLocationOf(refund));
  if (refund.state === RefundState.PENDING) reply.code(202).header('retry-after', RETRY_AFTER_S);
  else reply.code(201);
  return refundJson(refund);
}

function locationOf({ id }: Payment): string {
  return `/v1/payments/${id}`;
}

function refundLocationOf({ id }: Refund): string {
  return `/v1/refunds/${id}`;
}

function declined(payment: Payment): ProblemError {
  const { code = 'PAYMENT_DECLINED', message = 'The payment was declined.' } = payment.failure ?? {};
  // An account or mandate that does not exist and one of another user get the same response.
  if (code === 'FROM_ACCOUNT_NOT_FOUND' || code === 'MANDATE_NOT_FOUND')
    return new ProblemError(code, message);
  return new ProblemError('PAYMENT_DECLINED', message, {
    code,
    instance: locationOf(payment),
    headers: { location: locationOf(payment) },
    members: { payment: paymentJson(payment), ...limitMembers(payment) },
  });
}

function declinedRefund(refund: Refund): ProblemError {
  const { code = 'REFUND_DECLINED', message = 'The refund was declined.' } = refund.failure ?? {};
  return new ProblemError('REFUND_DECLINED', message, {
    code,
    headers: { location: refundLocationOf(refund) },
    members: { refund: refundJson(refund) },
  });
}

function limitMembers({ decision }: Payment) {
  if (!decision?.limit) return {};
  const { limit, used, resetsAt } = decision.limit;
  return { limit, used, ...(resetsAt && { resets_at: resetsAt.toISOString() }) };
}
