/** Retries an attempt until it succeeds or until its deadline. */
import { backoffMs, sleep } from './backoff.ts';

export interface RetryOptions {
  /** True if the same attempt may succeed later. Other errors are thrown at once. */
  mayRetry(error: unknown): boolean;
  /** If the next attempt would begin after the deadline, the last error is thrown. Undefined means no deadline. */
  deadline?: Date | undefined;
  /** Ends the pauses, but not the current attempt, which must then fail with another error. */
  stopping?: AbortSignal | undefined;
  /**
   * The error of an earlier attempt as part of a batch. Then `retry` begins with a pause, and makes one attempt even after the
   * deadline.
   */
  lastError?: unknown;
}

const PAUSE = { minMs: 20, maxMs: 250 };
const NEVER_STOPPING = new AbortController().signal;

export async function retry<T>(
  attempt: () => Promise<T>,
  { mayRetry, deadline, stopping = NEVER_STOPPING, lastError }: RetryOptions,
): Promise<T> {
  let error = lastError;
  for (let count = 0; ; count += 1) {
    if (error !== undefined) {
      const pauseMs = backoffMs(count, PAUSE);
      if (count > 0 && deadline && Date.now() + pauseMs > deadline.getTime()) throw error;
      await sleep(pauseMs, stopping);
    }
    try {
      return await attempt();
    } catch (newError) {
      if (!mayRetry(newError)) throw newError;
      error = newError;
    }
  }
}
