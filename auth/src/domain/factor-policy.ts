/** The roles that need a second factor, and the rights of a session without one. Pure. */
import type { UserRole } from './user.ts';

/** A user with one of these roles needs a second factor. */
export type FactorPolicy = readonly UserRole[];

/**
 * `full`: all rights of the user. `setup`: only to set up a second factor. `log-in-again`: none, because the user has a second factor
 * and the session began without it. Otherwise an attacker with the password could log in before the person sets up the factor, wait, and
 * continue with all rights.
 */
export type Standing = 'full' | 'setup' | 'log-in-again';

export function standingOf(
  user: { roles: readonly UserRole[]; hasSecondFactor: boolean },
  session: { secondFactor: boolean },
  policy: FactorPolicy,
): Standing {
  if (session.secondFactor || !needsSecondFactor(user, policy)) return 'full';
  return user.hasSecondFactor ? 'log-in-again' : 'setup';
}

export function needsSecondFactor({ roles }: { roles: readonly UserRole[] }, policy: FactorPolicy): boolean {
  return roles.some((role) => policy.includes(role));
}
