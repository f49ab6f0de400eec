/**
 * Computes how long a batch waits for a lock. Another instance holds its locks about as long as a batch takes here, so a batch
 * waits for it. A lock that is held several times as long belongs to an outside session, and the batch continues without the row.
 * The time is measured, not fixed: on a busy machine batches take longer, and instances must not take each other for outside
 * sessions.
 */
export interface LockPatience {
  /** Records how long a batch took to read, decide and write, without lock waits. */
  observe(batchMs: number): void;
  waitMs(): number;
}

/** Batches to wait for: the other instance may have just started one, and so may the instance next in the queue. */
const BATCHES = 5;
const MIN_WAIT_MS = 100;
const MAX_WAIT_MS = 1_000;
/** The weight of the newest batch in the moving average. */
const NEWEST = 0.2;

export function createLockPatience(): LockPatience {
  let usualMs = 0;
  return {
    observe(batchMs) {
      usualMs += (batchMs - usualMs) * NEWEST;
    },
    waitMs: () => Math.round(Math.min(MAX_WAIT_MS, Math.max(MIN_WAIT_MS, BATCHES * usualMs))),
  };
}
