/** Outcomes that a caller cannot know: only asking again by the same key tells. */
import { status } from '@grpc/grpc-js';
import { PATIENCE_MS } from './deadlines.ts';

/** Whether a call that failed like this may have been done, or may yet be. */
export function isOutcomeUnknown({ code }: { code?: unknown }): boolean {
  return code === status.DEADLINE_EXCEEDED || code === status.UNAVAILABLE;
}

/** Asks again until the outcome is known. Only for requests that carry a key, or change nothing. */
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
