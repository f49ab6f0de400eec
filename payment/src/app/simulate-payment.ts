/** Returns the decision that a payment would get now. Writes nothing. */
import { CallError } from '@payflowx/chassis';
import {
  type Authorization,
  isTooMany,
  isUnavailable,
  type SimulateRequest,
} from '../clients/authorization.ts';
import { PaymentError, payerUnknown } from '../domain/errors.ts';
import { type Decision, unknownIn } from '../domain/payment.ts';

export interface SimulateDeps {
  authorization: Pick<Authorization, 'simulate'>;
  authorizeDeadlineMs: number;
}

const RETRY_MS = 1_000;

/** Throws FROM_ACCOUNT_NOT_FOUND, MANDATE_NOT_FOUND, AUTHORIZATION_UNAVAILABLE, TOO_MANY_REQUESTS. */
export async function simulatePayment(
  { authorization, authorizeDeadlineMs: deadlineMs }: SimulateDeps,
  request: SimulateRequest,
  deadline: Date,
): Promise<Decision> {
  const decision = await authorization.simulate(request, { deadline, deadlineMs }).catch((error: unknown) => {
    if (isTooMany(error)) {
      throw new CallError('TOO_MANY_REQUESTS', error.message, { retryAfterMs: error.retryAfterMs });
    }
    if (!isUnavailable(error)) throw error;
    throw new PaymentError('AUTHORIZATION_UNAVAILABLE', 'The payment cannot be decided at the moment.', {
      retryAfterMs: RETRY_MS,
    });
  });
  const unknown = unknownIn(decision.failure);
  if (unknown) throw payerUnknown(unknown);
  return decision;
}
