/** Growing delays between attempts to reach an unavailable server. */

export interface Backoff {
  /** The delay before the next attempt, in milliseconds: doubled each time, up to the cap. */
  nextMs(): number;
  /** Starts over, after a successful attempt. */
  reset(): void;
}

export interface BackoffOptions {
  firstMs: number;
  maxMs: number;
  /** A number from 0 up to 1. Injected so that tests know the delays. */
  random?: () => number;
}

export function backoff({ firstMs, maxMs, random = Math.random }: BackoffOptions): Backoff {
  let ceilingMs = firstMs;
  return {
    nextMs() {
      // Half of each delay is random, so that the services do not all return to a restarted Consul at the same time.
      const delayMs = ceilingMs / 2 + (random() * ceilingMs) / 2;
      ceilingMs = Math.min(ceilingMs * 2, maxMs);
      return Math.round(delayMs);
    },
    reset() {
      ceilingMs = firstMs;
    },
  };
}

/** Consul is usually back within seconds: retry often at first, and at least every five seconds. */
export const CONSUL_BACKOFF: BackoffOptions = { firstMs: 250, maxMs: 5_000 };
