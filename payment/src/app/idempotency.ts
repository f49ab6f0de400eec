/** What a request gets whose idempotency key was used before. */
import { CallError, failed, ok, type Result } from '@payflowx/chassis';
import { PaymentError, type Reason } from '../domain/errors.ts';
import type { FirstAnswer, Key, KeyedRequest, Refusal, SeenRequest } from '../store/idempotency-keys.ts';

/** The first answer given again: the encoded message. */
export interface Replay {
  answer: Buffer;
}

/** How long a caller should wait before it asks again for a request that is being worked on. */
const IN_PROGRESS_RETRY_MS = 1_000;

/** What a step's key that was used before gets. */
export function replay(request: KeyedRequest, first: SeenRequest | undefined): Result<Replay> {
  const refusal = whyNotReplayed(request, first);
  return first && !refusal ? firstAnswer(first, { replayed: 'true' }) : failed(refusal);
}

/**
 * Why a request gets no answer of an earlier one with its key; undefined: it does, if there is an answer. A key that vanished in
 * between was released: the caller may use it again.
 */
export function whyNotReplayed(
  request: KeyedRequest,
  first: SeenRequest | undefined,
): PaymentError | undefined {
  if (first === undefined) return inProgress();
  const isSame = first.operation === request.operation && first.fingerprint.equals(request.fingerprint);
  return isSame ? undefined : reused();
}

/** The stored answer, or why there is none. `extra` joins the metadata of a refusal. */
export function firstAnswer(
  { answer, refusal }: FirstAnswer,
  extra: Record<string, string> = {},
): Result<Replay> {
  if (answer) return ok({ answer });
  if (!refusal) return failed(inProgress());
  const metadata = { ...refusal.metadata, ...extra };
  return failed(new PaymentError(refusal.reason as Reason, refusal.message, { metadata }));
}

export function toRefusal({ reason, message, metadata = {} }: PaymentError): Refusal {
  return { reason, message, metadata };
}

/** Names a key in a map. */
export function keyText({ callerId, requestId }: Key): string {
  // A caller's id has no space in it, and neither has a key.
  return `${callerId} ${requestId}`;
}

export function inProgress(): PaymentError {
  return new PaymentError(
    'IDEMPOTENCY_IN_PROGRESS',
    'A request with this idempotency key is being worked on.',
    { retryAfterMs: IN_PROGRESS_RETRY_MS },
  );
}

function reused(): PaymentError {
  return new PaymentError('IDEMPOTENCY_KEY_REUSED', 'This idempotency key was used for another request.');
}

export function tooLate(): CallError {
  return new CallError('DEADLINE_EXCEEDED', 'There was no time left to begin.');
}
