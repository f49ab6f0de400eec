/** Doing something again until it works, for as long as somebody waits for it. */
import { backoffMs, sleep } from './backoff.ts';

export interface RetryOptions {
  /** Whether the same attempt may succeed later. Any other error is thrown at once. */
  mayRetry(error: unknown): boolean;
  /** Once the next attempt would begin after this, the last error is thrown. Undefined: never. */
  deadline?: Date | undefined;
  /** Ends the pauses, not the attempt that runs, which must then fail with another error. */
  stopping?: AbortSignal | undefined;
  /** What it has failed with before, in company: it begins with a pause then, and there is one attempt even past the deadline. */
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
