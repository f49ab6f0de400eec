/** Lists the steps of a payment, oldest first, for callers that may see it. */
import type { Caller } from '@payflowx/chassis';
import type { Kysely } from 'kysely';
import { isOwnOrSeesAll, seesPayersSide, seesReceiversSide } from '../domain/access.ts';
import type { Database } from '../store/database.ts';
import { findSteps, type PaymentStep } from '../store/payment-steps.ts';
import { getPayment } from './get-payment.ts';

export interface VisibleStep extends PaymentStep {
  /** True if the figures of the decision may be shown. Its movements are always shown. */
  showsDecision: boolean;
}

/** The actor of a step, with its API client, is shown to that actor and to callers that see all payments. Throws PAYMENT_NOT_FOUND. */
export async function listPaymentSteps(
  deps: { db: Kysely<Database> },
  caller: Caller,
  paymentId: string,
): Promise<VisibleStep[]> {
  const seen = await getPayment(deps, caller, paymentId);
  const { payment, steps } = await findSteps(deps.db, seen.id);
  return steps.map((step) => ({
    ...step,
    showsDecision: step.refundId ? seesReceiversSide(caller, payment) : seesPayersSide(caller, payment),
    ...(!isOwnOrSeesAll(caller, step.actorId) && { actorId: undefined, clientId: undefined }),
  }));
}
