/**
 * How long a batch waits for a lock. Another instance holds its locks about as long as a batch takes here, and is waited for; a lock
 * that is held for several times as long is somebody else's, and the batch goes on without the row. Measured rather than fixed: on a
 * busy machine batches take longer, and instances must not take each other for outsiders then.
 */
export interface LockPatience {
  /** A batch was read, decided and written in this time, with no wait for a lock in it. */
  observe(batchMs: number): void;
  waitMs(): number;
}

/** Of a batch: the other instance may have just begun, and the one that waits before us too. */
const BATCHES = 5;
const MIN_WAIT_MS = 100;
const MAX_WAIT_MS = 1_000;
/** The weight of the newest batch in the average. */
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
