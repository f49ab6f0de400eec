/** Responses to requests whose idempotency key was already used. */
import { CallError, failed, ok, type Result } from '@payflowx/chassis';
import { PaymentError, type Reason } from '../domain/errors.ts';
import type { Key, KeyedRequest, Refusal, SeenRequest, StoredResponse } from '../store/idempotency-keys.ts';

/** The stored response: the encoded message. */
export interface Replay {
  answer: Buffer;
  /** The step that it answered. Undefined if it created a payment. */
  operationId?: string | undefined;
}

/** Milliseconds after which a caller should retry a request that is in progress. */
const IN_PROGRESS_RETRY_MS = 1_000;

/** Returns the response to a step whose idempotency key was already used. */
export function replay(request: KeyedRequest, first: SeenRequest | undefined): Result<Replay> {
  const refusal = replayRefusal(request, first);
  return first && !refusal ? toReplay(first, { replayed: 'true' }) : failed(refusal);
}

/**
 * Returns the reason why a request gets no stored response, or undefined if it may get one. A key that was released in between
 * may be used again by the caller.
 */
export function replayRefusal(
  request: KeyedRequest,
  first: SeenRequest | undefined,
): PaymentError | undefined {
  if (first === undefined) return inProgress();
  const isSame = first.operation === request.operation && first.fingerprint.equals(request.fingerprint);
  return isSame ? undefined : reused();
}

/** Returns the stored response or the stored refusal. `extra` is added to the metadata of a refusal. */
export function toReplay(
  { answer, refusal, operationId }: StoredResponse & Pick<Replay, 'operationId'>,
  extra: Record<string, string> = {},
): Result<Replay> {
  if (answer) return ok({ answer, operationId });
  if (!refusal) return failed(inProgress());
  const metadata = { ...refusal.metadata, ...extra };
  return failed(new PaymentError(refusal.reason as Reason, refusal.message, { metadata }));
}

export function toRefusal({ reason, message, metadata = {} }: PaymentError): Refusal {
  return { reason, message, metadata };
}

/** Returns the map key of an idempotency key. */
export function keyText({ callerId, requestId }: Key): string {
  // Neither caller ids nor idempotency keys contain a space.
  return `${callerId} ${requestId}`;
}

export function inProgress(): PaymentError {
  return new PaymentError('IDEMPOTENCY_IN_PROGRESS', 'A request with this idempotency key is in progress.', {
    retryAfterMs: IN_PROGRESS_RETRY_MS,
  });
}

function reused(): PaymentError {
  return new PaymentError('IDEMPOTENCY_KEY_REUSED', 'This idempotency key was used for another request.');
}

export function tooLate(): CallError {
  return new CallError('DEADLINE_EXCEEDED', 'The deadline passed before the request was started.');
}
