/** Sends one request, and retries until its outcome is known. */
import { PayFlowXError, unanswered } from './errors.ts';
import type { Fetch } from './options.ts';
import { type RetryOptions, sendUntilKnown } from './retry.ts';

/** A request that can be sent any number of times. */
export interface Sendable {
  url: string;
  method: string;
  headers: Headers;
  body: string | undefined;
}

export async function sendableFrom(request: Request): Promise<Sendable> {
  const { url, method, headers } = request;
  // Not every browser has `request.body`.
  const body = await request.text();
  return { url, method, headers, body: body === '' ? undefined : body };
}

/** One attempt. Rejects if it fails or takes too long. */
export type Attempt = (request: Sendable, signal: AbortSignal | undefined) => Promise<Response>;

export function attempts(send: Fetch, timeoutMs: number): Attempt {
  return async ({ url, ...request }, signal) => {
    const timeout = AbortSignal.timeout(timeoutMs);
    return send(url, { ...request, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
  };
}

/**
 * Rejects with a PayFlowXError if there is no response, and with the signal's reason, by default an AbortError, if the caller aborted
 * the call. `key` is the Idempotency-Key of the request.
 */
export async function deliver(
  attempt: Attempt,
  request: Sendable,
  retryOptions: RetryOptions,
  key?: string,
): Promise<Response> {
  try {
    return await sendUntilKnown(() => attempt(request, retryOptions.signal), retryOptions);
  } catch (error) {
    const { signal } = retryOptions;
    if (signal?.aborted) throw signal.reason;
    throw error instanceof PayFlowXError ? error : unanswered(error, key);
  }
}
