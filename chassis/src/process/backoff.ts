/** Waiting between attempts: longer each time, never in step with others, and never in the way of a stop. */

/** Doubles from `minMs` to `maxMs`; a random half is taken off so that many waiters spread out. `attempt` counts from 0. */
export function backoffMs(attempt: number, { minMs = 50, maxMs = 2_000 } = {}): number {
  const full = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 16));
  return full / 2 + (Math.random() * full) / 2;
}

/** Resolves after `ms`, or at once when `signal` is aborted. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
