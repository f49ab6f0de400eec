/** When revoked access tokens end, and when the tokens after them begin. Pure. */
import { ACCESS_TOKEN_LIFETIME_S } from '@payflowx/chassis';
import { REPEAT_WITHIN_MS } from './refresh-token.ts';

/** The clocks of two instances of auth may differ by this much, and so long may a signed token wait for its commit. */
const AHEAD_S = 5;
/** As far as a verifier's clock may be behind. */
const CLOCK_TOLERANCE_S = 60;

/**
 * Tokens that begin before the returned second are revoked. It lies ahead, so that no token of another instance escapes. New tokens
 * begin at it, or later.
 */
export function revokedBefore(now: Date): Date {
  return new Date((Math.ceil(now.getTime() / 1000) + AHEAD_S) * 1000);
}

/** Returns the time from which no token that is signed until now is valid. */
export function endOfTokens(now: Date): Date {
  return new Date(now.getTime() + (AHEAD_S + ACCESS_TOKEN_LIFETIME_S + CLOCK_TOLERANCE_S) * 1000);
}

/**
 * A session that was refreshed last before the returned time has no valid token. The retry of a refresh gets a later token, and counts as
 * the same refresh.
 */
export function oldestValidToken(now: Date): Date {
  return new Date(
    now.getTime() - (AHEAD_S + ACCESS_TOKEN_LIFETIME_S + CLOCK_TOLERANCE_S) * 1000 - REPEAT_WITHIN_MS,
  );
}
