/** Whether this instance should be sent requests: not while it stops, and not while a neighbour does not serve. */

export interface Readiness {
  /** Names of what is not serving; empty if all is well. */
  findNotServing(): Promise<readonly string[]>;
  /** From now on not ready, whatever the neighbours say. */
  stop(): void;
}

/** Probes come from many sides; the neighbours are asked once a second at most. */
const FRESH_MS = 1_000;

export function createReadiness(ask: () => Promise<string[]>, now: () => number): Readiness {
  let stopping = false;
  let asked: { at: number; answer: Promise<string[]> } | undefined;
  return {
    findNotServing() {
      if (stopping) return Promise.resolve(['gateway']);
      if (asked === undefined || now() - asked.at >= FRESH_MS) asked = { at: now(), answer: ask() };
      return asked.answer;
    },
    stop() {
      stopping = true;
    },
  };
}
