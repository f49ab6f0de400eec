/**
 * Decides which traces are recorded. A new trace is chosen by chance, and all services follow the flag in its traceparent.
 *
 * The decision comes before any span exists, so that a trace that is not recorded costs nothing. It cannot know whether the request
 * will fail or be slow. Spans of such requests are recorded when they end, see recordSpan. For their whole traces, sample everything
 * and choose in a collector (docs/operators/traces.md).
 */

/** The share of new traces that are recorded. Undefined: this process records nothing. */
let ratio: number | undefined;

export function sampleTraces(share: number | undefined): void {
  ratio = share;
}

export const isSampling = () => ratio !== undefined;

/** Not by the trace id: a caller could choose one that is always sampled. */
export const isChosen = () => ratio !== undefined && Math.random() < ratio;

/** Returns a function that is true `burst` times at once, and `perSecond` times a second in the long run. */
export function createAllowance(perSecond: number, burst: number, now = () => performance.now()) {
  let left = burst;
  let lastAt = now();
  return (): boolean => {
    const at = now();
    left = Math.min(burst, left + ((at - lastAt) / 1_000) * perSecond);
    lastAt = at;
    if (left < 1) return false;
    left -= 1;
    return true;
  };
}

/** Traces that callers outside the platform asked to sample. More of them are sampled by chance, like all others. */
const STRANGERS_PER_SECOND = 1;
const STRANGERS_BURST = 10;
export const mayFollowStranger = createAllowance(STRANGERS_PER_SECOND, STRANGERS_BURST);

/** Spans of unsampled requests that failed or were slow. In an outage every request fails, and recording all would add load. */
const KEPT_PER_SECOND = 10;
const KEPT_BURST = 100;
export const mayKeep = createAllowance(KEPT_PER_SECOND, KEPT_BURST);
