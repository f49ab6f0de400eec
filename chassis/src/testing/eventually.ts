/** Waits for a state that the system reaches by itself. */
import { PATIENCE_MS } from './deadlines.ts';

/** Resolves with the result of `check` once it no longer throws. Rejects with its last error at the end of the time. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { withinMs = PATIENCE_MS, everyMs = 25 } = {},
): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }
}
