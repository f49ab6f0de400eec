/**
 * Decides when a signing key is announced and when it is activated. Pure. A key is announced first, so that verifiers know it
 * before it signs.
 */

export interface KeyStates {
  active: { kid: string; activatedAt: Date };
  next: { kid: string; activatesAt: Date } | undefined;
}

export interface RotationPolicy {
  /** Milliseconds after which an active key is replaced. */
  maxAgeMs: number;
  /** Milliseconds between the announcement of a key and its activation. Longer than any verifier's cache. */
  announceMs: number;
}

/** Returns the step that is due now, if any. */
export function dueStep(
  { active, next }: KeyStates,
  now: Date,
  { maxAgeMs }: RotationPolicy,
): 'announce' | 'activate' | undefined {
  if (next) return next.activatesAt <= now ? 'activate' : undefined;
  return active.activatedAt.getTime() + maxAgeMs <= now.getTime() ? 'announce' : undefined;
}
