/** The steps that a payment took, oldest first, for those who may see it. */
import type { Kysely } from 'kysely';
import { seesAll, seesPayersSide, seesReceiversSide } from '../domain/access.ts';
import type { Caller } from '../domain/payment.ts';
import type { Database } from '../store/database.ts';
import { findSteps, type PaymentStep } from '../store/payment-steps.ts';
import { getPayment } from './get-payment.ts';

export interface VisibleStep extends PaymentStep {
  /** Whether the decision's figures may be shown. Its movements always may. */
  showsDecision: boolean;
}

/** Who else did something is shown to those who see all payments. Throws PAYMENT_NOT_FOUND. */
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
    actorId: seesAll(caller) || step.actorId === caller.id ? step.actorId : undefined,
  }));
}
