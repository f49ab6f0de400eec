/**
 * The endpoints that are slow, as this instance has seen them. A slow endpoint may answer 200 each time, so it never counts as failing.
 * Without a bound, many of them would occupy all places, and healthy endpoints would wait.
 */

/** Milliseconds. A response that takes longer than this makes an endpoint slow. */
const SLOW_MS = 3_000;
/** An endpoint stays slow for this long. A fast answer in between does not end it: a receiver could alternate. */
const REMEMBERED_MS = 300_000;
/** With more, the one that was slow longest ago is forgotten. */
const MAX_REMEMBERED = 10_000;

export interface SlowEndpoints {
  has(endpointId: string): boolean;
  /** Notes how long an attempt took, in milliseconds. */
  note(endpointId: string, latencyMs: number): void;
}

export function createSlowEndpoints(now: () => number = () => performance.now()): SlowEndpoints {
  const until = new Map<string, number>();
  return {
    has: (endpointId) => (until.get(endpointId) ?? 0) > now(),
    note(endpointId, latencyMs) {
      if (latencyMs <= SLOW_MS) return;
      // Deleted first, so that the oldest one is first in the map.
      until.delete(endpointId);
      until.set(endpointId, now() + REMEMBERED_MS);
      if (until.size > MAX_REMEMBERED) forgetOldest();
    },
  };

  function forgetOldest(): void {
    const [oldest] = until.keys();
    if (oldest !== undefined) until.delete(oldest);
  }
}
