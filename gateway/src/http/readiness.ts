/** Decides whether this instance is ready for requests. It is not, during shutdown and while another service does not serve. */

export interface Readiness {
  /** Names of the services that do not serve; empty if all do. */
  findNotServing(): Promise<readonly string[]>;
  /** Makes the instance permanently not ready, independent of the other services. */
  stop(): void;
}

/** Probes come from several sources. The other services are checked at most once a second. */
const FRESH_MS = 1_000;

export function createReadiness(checkServices: () => Promise<string[]>, now: () => number): Readiness {
  let stopping = false;
  let lastCheck: { at: number; result: Promise<string[]> } | undefined;
  return {
    findNotServing() {
      if (stopping) return Promise.resolve(['gateway']);
      if (lastCheck === undefined || now() - lastCheck.at >= FRESH_MS)
        lastCheck = { at: now(), result: checkServices() };
      return lastCheck.result;
    },
    stop() {
      stopping = true;
    },
  };
}
