/** Step (b) of an operation. Requests the decision from authorization, outside any transaction. */
import { faultPoint, type Logger, runInTrace, traceFrom } from '@payflowx/chassis';
import { type Authorization, isBusy } from '../clients/authorization.ts';
import type { Decision } from '../domain/payment.ts';
import type { Begun } from './accept-operations.ts';

export interface DecideDeps {
  authorization: Pick<Authorization, 'operate'>;
  log: Logger;
  now(): Date;
  /** Timeout of one call, in milliseconds. */
  authorizeDeadlineMs: number;
}

/** Rejects if there is no decision, for any reason. The operation stays PENDING and is left to recovery. */
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
    // Authorization logs the locked account. A log line here would appear for each attempt.
    if (isBusy(error)) throw error;
    const { id, paymentId } = begun.operation;
    log.warn({ err: error, operation_id: id, payment_id: paymentId }, 'no decision on an operation');
    throw error;
  }
}
