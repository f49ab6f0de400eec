/** Pauses between attempts. They grow, are random so that processes do not retry at the same time, and end at shutdown. */

/**
 * Doubles from `minMs` to `maxMs`. Up to half of it is subtracted at random, so that many waiters spread out. `attempt` counts
 * from 0.
 */
export function backoffMs(attempt: number, { minMs = 50, maxMs = 2_000 } = {}): number {
  const full = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 16));
  return full / 2 + (Math.random() * full) / 2;
}

/** Resolves after `ms`, or at once if `signal` is aborted. */
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
