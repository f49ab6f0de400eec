/** Distinguishes a long outage from a short one. A restart of a server is no reason for an alarm. */

export interface Outage {
  /** Begins the outage. Returns false if it has begun before. */
  begin(): boolean;
  /** Returns false if there was none. */
  end(): boolean;
  isLong(): boolean;
}

const LONG_MS = 30_000;

export function createOutage(longMs = LONG_MS): Outage {
  let since: number | undefined;
  return {
    begin() {
      if (since !== undefined) return false;
      since = performance.now();
      return true;
    },
    end() {
      const wasOngoing = since !== undefined;
      since = undefined;
      return wasOngoing;
    },
    isLong: () => since !== undefined && performance.now() - since > longMs,
  };
}
