/** The outcome of what moves money as an HTTP answer: done, 202 not known yet, 402 declined; and whether it is a replay. */
import {
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

/** What is undecided is driven on within seconds; asking sooner would not help. */
const ASK_AGAIN_AFTER_S = '1';

/** Sets status and headers, and returns the body. Throws the 402, which is a problem. */
export function answerCreation(
  { payment, replayed }: Pick<CreatePaymentResponse, 'payment' | 'replayed'>,
  reply: FastifyReply,
): PaymentJson {
  if (!payment) throw new Error('The payment service answered without a payment.');
  if (replayed) reply.header('idempotent-replayed', 'true');
  if (payment.state === PaymentState.FAILED) throw declined(payment);
  reply.header('location', locationOf(payment));
  if (payment.state === PaymentState.INITIATED) reply.code(202).header('retry-after', ASK_AGAIN_AFTER_S);
  else reply.code(201);
  return paymentJson(payment);
}

/** A capture or a cancellation: the payment as it is now; as it was before where the outcome is not known yet. */
export function answerStep(
  { payment, replayed, pending }: CapturePaymentResponse,
  reply: FastifyReply,
): PaymentJson {
  if (!payment) throw new Error('The payment service answered without a payment.');
  if (replayed) reply.header('idempotent-replayed', 'true');
  if (pending) {
    reply.code(202).header('retry-after', ASK_AGAIN_AFTER_S).header('location', locationOf(payment));
  }
  return paymentJson(payment);
}

/** Sets status and headers, and returns the body. Throws the 402, which is a problem. */
export function answerRefund({ refund, replayed }: CreateRefundResponse, reply: FastifyReply): RefundJson {
  if (!refund) throw new Error('The payment service answered without a refund.');
  if (replayed) reply.header('idempotent-replayed', 'true');
  if (refund.state === RefundState.FAILED) throw declinedRefund(refund);
  // A refund has no address of its own; it is in the payment's list.
  reply.header('location', refundsOf(refund));
  if (refund.state === RefundState.PENDING) reply.code(202).header('retry-after', ASK_AGAIN_AFTER_S);
  else reply.code(201);
  return refundJson(refund);
}

function locationOf({ id }: Payment): string {
  return `/v1/payments/${id}`;
}

function refundsOf({ paymentId }: Refund): string {
  return `/v1/payments/${paymentId}/refunds`;
}

function declined(payment: Payment): ProblemError {
  const { code = 'PAYMENT_DECLINED', message = 'The payment was declined.' } = payment.failure ?? {};
  // An account that is not there and one that is not the caller's look the same.
  if (code === 'FROM_ACCOUNT_NOT_FOUND') return new ProblemError(code, message);
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
    headers: { location: refundsOf(refund) },
    members: { refund: refundJson(refund) },
  });
}

function limitMembers({ decision }: Payment) {
  if (!decision?.limit) return {};
  const { limit, used, resetsAt } = decision.limit;
  return { limit, used, ...(resetsAt && { resets_at: resetsAt.toISOString() }) };
}
