/**
 * Tells whether all callers of the last moments wait again. Clients that send their next request after the last response form a
 * crowd of constant size. When it is complete, no caller comes before a response leaves. So to wait for more callers only costs time.
 */

const WINDOW_MS = 500;
/** This share of the crowd may be elsewhere, for example between two requests. */
const ABSENT_SHARE = 1 / 16;

export interface Crowd {
  /** A caller came, and now this many wait. `nowMs` by performance.now(). */
  grew(size: number, nowMs: number): void;
  /** Callers got their results. They come back soon. */
  shrank(): void;
  /** False while the crowd is larger than before too: more may follow. */
  isComplete(): boolean;
}

/** Remembers the largest size of the last 0.5 to 1 s, as the maxima of two windows. */
export function createCrowd(): Crowd {
  let startedAt = 0;
  let current = 0;
  let previous = 0;
  let complete = false;

  function turnWindows(nowMs: number): void {
    const passed = Math.floor((nowMs - startedAt) / WINDOW_MS);
    if (passed <= 0) return;
    previous = passed === 1 ? current : 0;
    current = 0;
    startedAt += passed * WINDOW_MS;
  }

  return {
    grew(size, nowMs) {
      turnWindows(nowMs);
      const usual = Math.max(current, previous);
      complete = size <= usual && size >= usual - Math.floor(usual * ABSENT_SHARE);
      current = Math.max(current, size);
    },
    shrank() {
      complete = false;
    },
    isComplete: () => complete,
  };
}
