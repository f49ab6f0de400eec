/** Step (b). Requests decisions on many payments in one call to authorization, outside any transaction. */
import { faultPoint, type Logger, type Result, splitOnFailure } from '@payflowx/chassis';
import { type Authorization, type AuthorizeRequest, isBusy, isItemError } from '../clients/authorization.ts';
import type { Decision } from '../domain/payment.ts';

export interface AuthorizeDeps {
  authorization: Pick<Authorization, 'authorize'>;
  log: Logger;
  /** Timeout of one call, in milliseconds. */
  authorizeDeadlineMs: number;
}

/**
 * Returns one result for each request, in order. A payment without a decision, for any reason, stays INITIATED and is left to
 * recovery.
 */
export async function authorizePayments(
  { authorization, log, authorizeDeadlineMs }: AuthorizeDeps,
  requests: readonly AuthorizeRequest[],
): Promise<Result<Decision>[]> {
  try {
    const authorize = (some: readonly AuthorizeRequest[]) =>
      authorization.authorize(some, authorizeDeadlineMs);
    const results = await splitOnFailure(requests, authorize, isItemError);
    results.forEach((result, index) => {
      // Authorization logs the locked account. A log line here would appear for each payment and attempt.
      if (result.ok || isBusy(result.error)) return;
      log.error({ err: result.error, payment_id: requests[index]?.payment.id }, 'no decision on a payment');
    });
    faultPoint('payment.after-authorize');
    return results;
  } catch (error) {
    log.warn({ err: error, payments: requests.length }, 'the call to authorization failed');
    throw error;
  }
}
