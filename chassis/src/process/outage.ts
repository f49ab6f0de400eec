/** Distinguishes a long outage from a short one. A restart of a server is no reason for an alarm. */

export interface Outage {
  /** Begins the outage, unless it has begun before. */
  begin(): void;
  end(): void;
  isLong(): boolean;
}

const LONG_MS = 30_000;

export function createOutage(longMs = LONG_MS): Outage {
  let since: number | undefined;
  return {
    begin() {
      since ??= performance.now();
    },
    end() {
      since = undefined;
    },
    isLong: () => since !== undefined && performance.now() - since > longMs,
  };
}
