/** Retries calls whose outcome the caller does not know. Only a retry with the same key can find it. */
import { status } from '@grpc/grpc-js';
import { PATIENCE_MS } from './deadlines.ts';

/** True if a call that failed in this way may have been applied, or may still be. */
export function isOutcomeUnknown({ code }: { code?: unknown }): boolean {
  return code === status.DEADLINE_EXCEEDED || code === status.UNAVAILABLE;
}

/** Retries until the outcome is known. Only for requests that have a key, or change nothing. */
export async function untilKnown<T>(ask: () => Promise<T>): Promise<T> {
  const until = performance.now() + 2 * PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!isOutcomeUnknown(error as object) || performance.now() > until) throw error;
    }
  }
}
