/**
 * Repairs one method of kafkajs 2.2.4 (unmaintained). After each request and each response, kafkajs sets a timer to check its
 * request queue, even if the queue is empty. That timer is due at `-1 - now`, so it fires after 1 ms and sets the next one.
 *
 * Every connection of an idle process wakes up a thousand times a second, and Node 24 prints TimeoutNegativeWarning.
 *
 * https://github.com/tulios/kafkajs/blob/v2.2.4/src/network/requestQueue/index.js#L301
 */
import { createRequire } from 'node:module';

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

const RECHECK_MS = 10;

export function repairRequestQueue(): void {
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js') as {
    prototype: RequestQueue;
  };
  prototype.scheduleCheckPendingRequests = function schedule(this: RequestQueue) {
    // A response and a new request both check the queue. So the timer is only needed while requests are queued.
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
    const delayMs = Math.max(this.throttledUntil - Date.now(), RECHECK_MS);
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, delayMs);
  };
}
