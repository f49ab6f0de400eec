/** Step (b) of an operation: ask authorization for it, outside any transaction. */
import { faultPoint, type Logger, runInTrace, traceFrom } from '@payflowx/chassis';
import { type Authorization, isBusy } from '../clients/authorization.ts';
import type { Decision } from '../domain/payment.ts';
import type { Begun } from './accept-operations.ts';

export interface DecideDeps {
  authorization: Pick<Authorization, 'operate'>;
  log: Logger;
  now(): Date;
  /** The longest that one call may take. */
  authorizeDeadlineMs: number;
}

/** Rejects if there is no decision, for whatever reason: the operation stays PENDING and is recovery's. */
export async function decideOperation(
  { authorization, log, now, authorizeDeadlineMs }: DecideDeps,
  begun: Begun,
  deadline: Date,
): Promise<Decision> {
  const latest = new Date(now().getTime() + authorizeDeadlineMs);
  const waitUntil = deadline < latest ? deadline : latest;
  try {
    const trace = traceFrom(begun.operation.origin.traceparent);
    const decision = await runInTrace(trace, () =>
      authorization.operate(begun, { deadline: waitUntil, deadlineMs: authorizeDeadlineMs }),
    );
    faultPoint('payment.after-operation-decided');
    return decision;
  } catch (error) {
    // Authorization logs which account is locked; here it would be a line for each attempt.
    if (isBusy(error)) throw error;
    const { id, paymentId } = begun.operation;
    log.warn(
      { err: error, operation_id: id, payment_id: paymentId },
      'authorization did not decide on a step',
    );
    throw error;
  }
}
