/** When which signing key takes over. Pure. A key is announced first, so that whoever verifies tokens knows it before it signs. */

export interface KeyStates {
  active: { kid: string; activatedAt: Date };
  next: { kid: string; activatesAt: Date } | undefined;
}

export interface RotationPolicy {
  /** A key that has signed for this long is replaced. */
  maxAgeMs: number;
  /** How long a key is announced before it signs. Longer than any verifier's cache. */
  announceMs: number;
}

/** What the keys need at this moment. */
export function dueStep(
  { active, next }: KeyStates,
  now: Date,
  { maxAgeMs }: RotationPolicy,
): 'announce' | 'activate' | undefined {
  if (next) return next.activatesAt <= now ? 'activate' : undefined;
  return active.activatedAt.getTime() + maxAgeMs <= now.getTime() ? 'announce' : undefined;
}
