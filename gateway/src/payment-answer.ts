/** The outcome of a creation as an HTTP answer: 201 done, 202 not known yet, 402 declined; and whether it is a replay. */
import { type CreatePaymentResponse, type Payment, PaymentState } from '@payflowx/proto/payment';
import type { FastifyReply } from 'fastify';
import { ProblemError } from './problem.ts';
import { type PaymentJson, paymentJson } from './schemas/payment.ts';

/** An undecided payment is driven on within seconds; asking sooner would not help. */
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

function locationOf({ id }: Payment): string {
  return `/v1/payments/${id}`;
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

function limitMembers({ decision }: Payment) {
  if (!decision?.limit) return {};
  const { limit, used, resetsAt } = decision.limit;
  return { limit, used, ...(resetsAt && { resets_at: resetsAt.toISOString() }) };
}
