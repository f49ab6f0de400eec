/**
 * Known pairs: an account, and a network from which it logged in recently. Failures of other clients do not delay a known pair.
 * The README has the reasons.
 */
import { type FailureCount, type ThrottleKind, waitMs } from './login-throttle.ts';

/** A pair without a login for this long is unknown again. */
const KNOWN_FOR_MS = 30 * 24 * 60 * 60_000;

/** The number of networks kept per account, the last used ones: enough for home, work and some travel. */
export const KNOWN_NETWORKS_MAX = 20;

/** After this many own failures a known pair is delayed by failures of others too. Its next success resets this. */
export const KNOWN_PAIR_TRIES = 3;

/** Pairs whose last login is at or before this time are unknown. */
export function oldestKnownLogin(now: Date): Date {
  return new Date(now.getTime() - KNOWN_FOR_MS);
}

/**
 * True if a known pair may try although `counts` delay it: the delay comes from failures of others, and it has few of its own.
 */
export function maySkipDelay(
  counts: readonly (Omit<FailureCount, 'forgottenAt'> & { kind: ThrottleKind })[],
  now: Date,
): boolean {
  const own = counts.filter(({ kind }) => kind === 'pair');
  return waitMs(own, now) === 0 && own.every(({ failures }) => failures < KNOWN_PAIR_TRIES);
}
