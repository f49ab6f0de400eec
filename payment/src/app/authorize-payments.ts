/** Step (b): ask authorization about many payments in one call, outside any transaction. */
import { faultPoint, type Logger, type Result } from '@payflowx/chassis';
import {
  type Authorization,
  type AuthorizeRequest,
  isAboutAnItem,
  isBusy,
} from '../clients/authorization.ts';
import type { Decision } from '../domain/payment.ts';
import { inHalves } from './in-halves.ts';

export interface AuthorizeDeps {
  authorization: Pick<Authorization, 'authorize'>;
  log: Logger;
  /** The longest that one call may take. */
  authorizeDeadlineMs: number;
}

/** One result each, in order. A payment without a decision, for whatever reason, stays INITIATED and is recovery's. */
export async function authorizePayments(
  { authorization, log, authorizeDeadlineMs }: AuthorizeDeps,
  requests: readonly AuthorizeRequest[],
): Promise<Result<Decision>[]> {
  try {
    const ask = (some: readonly AuthorizeRequest[]) => authorization.authorize(some, authorizeDeadlineMs);
    const results = await inHalves(requests, ask, isAboutAnItem);
    results.forEach((result, index) => {
      // Authorization logs which account is locked; here it would be a line for each payment and attempt.
      if (result.ok || isBusy(result.error)) return;
      log.error({ err: result.error, payment_id: requests[index]?.payment.id }, 'a payment was not decided');
    });
    faultPoint('payment.after-authorize');
    return results;
  } catch (error) {
    log.warn({ err: error, payments: requests.length }, 'authorization did not answer');
    throw error;
  }
}
