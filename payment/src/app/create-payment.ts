/** One caller's request for a movement of money, from its acceptance to its answer. */
import { PaymentError } from '../domain/errors.ts';
import { isPayerUnknown, type Payment } from '../domain/payment.ts';
import type { Acceptance, AcceptRequest } from './accept-payments.ts';
import { answerInTime } from './answer-in-time.ts';
import type { PaymentFlow } from './payment-flow.ts';

export interface CreateDeps {
  flow: Pick<PaymentFlow, 'accept' | 'resolve'>;
  now(): Date;
}

/** The payment as it is now; or, if `replayed`, as this request was first answered. */
export type Created = Acceptance;

/**
 * The payment's outcome, or the payment still INITIATED if there is none before the deadline or a lock holds it up: it is tried again until
 * the deadline, and then recovery brings it.
 * Throws IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS, FROM_ACCOUNT_NOT_FOUND, DEADLINE_EXCEEDED.
 */
export async function createPayment({ flow, now }: CreateDeps, request: AcceptRequest): Promise<Created> {
  const accepted = await flow.accept(request);
  const created = accepted.replayed ? accepted : await resolve({ flow, now }, accepted.payment, request);
  if (isPayerUnknown(created.payment)) {
    throw new PaymentError('FROM_ACCOUNT_NOT_FOUND', 'There is no such account to pay from.');
  }
  return created;
}

async function resolve(
  { flow, now }: CreateDeps,
  initiated: Payment,
  { deadline }: AcceptRequest,
): Promise<Created> {
  // Whatever goes wrong from here on has been logged where it did, and the payment is on recovery's list.
  // A payment that a lock holds up is answered as it is: the caller may have sent it together with others, who would wait for it.
  const outcome = (giveUp: () => void) =>
    flow.resolve(initiated, deadline, { onHeldUp: giveUp }).catch(() => initiated);
  const payment = await answerInTime(outcome, { deadline, now: now(), otherwise: initiated });
  return { payment, replayed: false };
}
