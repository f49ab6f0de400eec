/** An account and a network from which it logged in not long ago: failures of others do not delay it. Why is in the README. */
import { type FailureCount, type ThrottleKind, waitMs } from './login-throttle.ts';

/** A pair without a login for this long is unknown again. */
const KNOWN_FOR_MS = 30 * 24 * 60 * 60_000;

/** Of each account the networks used last are known, this many: enough for home, work and some travel. */
export const KNOWN_NETWORKS_MAX = 20;

/** A known pair may fail this often before failures of others delay it too. It is known without reserve after its next success. */
export const KNOWN_PAIR_TRIES = 3;

/** Pairs that logged in no later than this are unknown. */
export function oldestKnownLogin(now: Date): Date {
  return new Date(now.getTime() - KNOWN_FOR_MS);
}

/** Whether a known pair may try although `counts` delay it: it must be failures of others that do, and few of its own. */
export function maySkipDelay(
  counts: readonly (Omit<FailureCount, 'forgottenAt'> & { kind: ThrottleKind })[],
  now: Date,
): boolean {
  const own = counts.filter(({ kind }) => kind === 'pair');
  return waitMs(own, now) === 0 && own.every(({ failures }) => failures < KNOWN_PAIR_TRIES);
}
