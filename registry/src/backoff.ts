/** Growing delays between attempts at something that is away. */

export interface Backoff {
  /** The delay before the next attempt, in milliseconds: doubled each time, up to the cap. */
  nextMs(): number;
  /** Starts over, after an attempt that worked. */
  reset(): void;
}

export interface BackoffOptions {
  firstMs: number;
  maxMs: number;
  /** A number from 0 up to 1. Injected so that a test can tell the delays beforehand. */
  random?: () => number;
}

export function backoff({ firstMs, maxMs, random = Math.random }: BackoffOptions): Backoff {
  let ceilingMs = firstMs;
  return {
    nextMs() {
      // Half of each delay is chance, so that all services do not come back to a restarted Consul in one wave.
      const delayMs = ceilingMs / 2 + (random() * ceilingMs) / 2;
      ceilingMs = Math.min(ceilingMs * 2, maxMs);
      return Math.round(delayMs);
    },
    reset() {
      ceilingMs = firstMs;
    },
  };
}

/** Consul is usually back within seconds: ask often at first, and never less than every five seconds. */
export const CONSUL_BACKOFF: BackoffOptions = { firstMs: 250, maxMs: 5_000 };
