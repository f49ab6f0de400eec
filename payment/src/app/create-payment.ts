/** One caller's request for a movement of money, from its acceptance to its answer. */
import { PaymentError } from '../domain/errors.ts';
import { isPayerUnknown, type Payment } from '../domain/payment.ts';
import type { AcceptRequest } from './accept-payments.ts';
import { answerInTime } from './answer-in-time.ts';
import type { PaymentFlow } from './payment-flow.ts';

export interface CreateDeps {
  flow: Pick<PaymentFlow, 'accept' | 'resolve'>;
  now(): Date;
}

/** The payment as it is now, or the encoded Payment message that this request was first answered with. */
export type Created = { payment: Payment } | { answer: Buffer };

/**
 * The payment's outcome, or the payment still INITIATED if there is none before the deadline: recovery brings it.
 * Throws IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS, FROM_ACCOUNT_NOT_FOUND, DEADLINE_EXCEEDED.
 */
export async function createPayment({ flow, now }: CreateDeps, request: AcceptRequest): Promise<Created> {
  const acceptance = await flow.accept(request);
  if ('answer' in acceptance) return acceptance;

  const initiated = acceptance.payment;
  // Whatever goes wrong from here on has been logged where it did, and the payment is on recovery's list.
  const outcome = flow.resolve(initiated, request.deadline).catch(() => initiated);
  const { deadline } = request;
  const payment = await answerInTime(outcome, { deadline, now: now(), otherwise: initiated });
  if (isPayerUnknown(payment)) {
    throw new PaymentError('FROM_ACCOUNT_NOT_FOUND', 'There is no such account to pay from.');
  }
  return { payment };
}
