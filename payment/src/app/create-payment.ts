/** Handles one request for a movement of money, from its acceptance to its response. */
import { ownAccount } from '../domain/access.ts';
import { payerUnknown } from '../domain/errors.ts';
import { isOwnDealing, type Payment, unknownIn } from '../domain/payment.ts';
import type { Acceptance, AcceptRequest } from './accept-payments.ts';
import { answerInTime } from './answer-in-time.ts';
import type { PaymentFlow } from './payment-flow.ts';

export interface CreateDeps {
  flow: Pick<PaymentFlow, 'accept' | 'resolve'>;
  now(): Date;
}

/** The current payment. If `replayed`, the payment as the first response showed it. */
export type Created = Acceptance;

/**
 * Returns the payment with its outcome. Returns it still INITIATED if there is no outcome before the deadline, or if a lock
 * delays it. A delayed payment is retried until the deadline, and then by recovery. With `delayMs` it is left to recovery at once.
 *
 * Throws IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_IN_PROGRESS, FROM_ACCOUNT_NOT_FOUND, MANDATE_NOT_FOUND,
 * OWN_ACCOUNT, DEADLINE_EXCEEDED.
 */
export async function createPayment({ flow, now }: CreateDeps, request: AcceptRequest): Promise<Created> {
  const accepted = await flow.accept(request);
  const isLeft = accepted.replayed || request.delayMs !== undefined;
  const created = isLeft ? accepted : await resolve({ flow, now }, accepted.payment, request);
  const unknown = unknownIn(created.payment.failure);
  if (unknown) throw payerUnknown(unknown);
  if (isOwnDealing(created.payment)) throw ownAccount();
  return created;
}

async function resolve(
  { flow, now }: CreateDeps,
  initiated: Payment,
  { deadline }: AcceptRequest,
): Promise<Created> {
  // Errors from here on are logged at their source, and recovery retries the payment.
  //
  // A payment that is delayed by a lock is returned as INITIATED at once. The caller may have sent it in a batch, and the other
  // items of the batch must not wait for it.
  const outcome = (giveUp: () => void) =>
    flow.resolve(initiated, deadline, { onHeldUp: giveUp }).catch(() => initiated);
  const payment = await answerInTime(outcome, { deadline, now: now(), otherwise: initiated });
  return { payment, replayed: false };
}
