/** Handles one request for a step of a payment, from its acceptance to its response. */
import { notFound } from '../domain/access.ts';
import { isPaymentId } from '../domain/ids.ts';
import type { Begun, OperationRequest } from './accept-operations.ts';
import { answerInTime } from './answer-in-time.ts';
import { type Replay, toReplay } from './idempotency.ts';
import type { OperationFlow } from './operation-flow.ts';

export interface RequestOperationDeps {
  flow: Pick<OperationFlow, 'accept' | 'resolve'>;
  now(): Date;
}

/**
 * The response: an encoded Payment or Refund message. If the outcome is not known in time, it is the started operation, which
 * recovery finishes.
 */
export type Requested = (Replay & { replayed: boolean }) | { pending: Begun };

/** Throws the errors of acceptOperations, TO_ACCOUNT_NOT_ACTIVE and TO_ACCOUNT_CLOSED. */
export async function requestOperation(
  { flow, now }: RequestOperationDeps,
  request: OperationRequest,
): Promise<Requested> {
  if (!isPaymentId(request.paymentId)) throw notFound();
  const acceptance = await flow.accept(request);
  if ('answer' in acceptance) return { ...acceptance, replayed: true };

  // Errors from here on are logged at their source, and recovery retries the operation.
  const outcome = flow.resolve(acceptance, request.deadline).catch(() => undefined);
  const first = await answerInTime(() => outcome, {
    deadline: request.deadline,
    now: now(),
    otherwise: undefined,
  });
  if (!first?.answer && !first?.refusal) return { pending: acceptance };
  const result = toReplay({ ...first, operationId: acceptance.operation.id });
  if (!result.ok) throw result.error;
  return { ...result.value, replayed: false };
}
