/** When a failed webhook is sent again. Pure. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Milliseconds before each further attempt. After the last one the delivery has failed. */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

/** The share of a delay that is random, so that deliveries that failed together are not all sent again together. */
const JITTER = 0.1;
/** A longer Retry-After is cut. */
const MAX_RETRY_AFTER_MS = 24 * HOUR;

export interface FailedAttempt {
  /** Number of attempts so far, this one included. */
  tries: number;
  at: Date;
  /** From the header Retry-After of the response. */
  retryAfterMs?: number | undefined;
}

/** Undefined: the delivery has failed. `random` is from 0 to 1. */
export function nextAttemptAt(
  { tries, at, retryAfterMs = 0 }: FailedAttempt,
  random: number,
): Date | undefined {
  const delayMs = RETRY_DELAYS_MS[tries - 1];
  if (delayMs === undefined) return undefined;
  const waitMs = Math.max(delayMs * (1 + JITTER * random), Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
  return new Date(at.getTime() + Math.round(waitMs));
}

/** Failed attempts in a row after which an endpoint is paused. */
const PAUSE_AFTER = 5;
const MIN_PAUSE_MS = 5 * SECOND;
const MAX_PAUSE_MS = 5 * MINUTE;

/** Milliseconds for which nothing is sent to an endpoint after its nth failed attempt in a row: the circuit is open. */
export function pauseAfter(failures: number): number {
  if (failures < PAUSE_AFTER) return 0;
  return Math.min(MIN_PAUSE_MS * 2 ** Math.min(failures - PAUSE_AFTER, 20), MAX_PAUSE_MS);
}

/** While an endpoint fails, one delivery is tried at a time. */
export const isSuspect = (failures: number): boolean => failures >= PAUSE_AFTER;

/** An endpoint is disabled when all attempts have failed for this long. */
export const DISABLE_AFTER_MS = 5 * 24 * HOUR;

/** Parses Retry-After: seconds, or an HTTP date (RFC 9110 10.2.3). Undefined for anything else. */
export function parseRetryAfter(value: string | undefined, now: Date): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d{1,10}$/.test(value)) return Number(value) * SECOND;
  const date = /^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(value)
    ? Date.parse(value)
    : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}
