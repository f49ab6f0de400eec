/** Checks the claims of an access token (RFC 9068), in addition to its signature. */

export const TOKEN_ISSUER = 'payflowx';
export const TOKEN_AUDIENCE = 'payflowx';
/** RFC 9068: this type distinguishes access tokens from other JWTs. */
export const TOKEN_TYPE = 'at+jwt';

/** The lifetime of auth's tokens. Verifiers refuse tokens with a longer one. It is short, because a token cannot be revoked. */
export const ACCESS_TOKEN_LIFETIME_S = 300;

/** Seconds that auth's clock may be ahead of a verifier's. */
const CLOCK_TOLERANCE_S = 60;

export interface TokenTimes {
  iat?: unknown;
  nbf?: unknown;
  exp?: unknown;
}

/**
 * True if a token is valid now: it has begun, has not expired, and has no longer lifetime than auth gives. The JWT library checks
 * only `exp`. So without this, a token from an auth with a clock one hour ahead would be valid for an hour too long.
 */
export function isTimely({ iat, nbf, exp }: TokenTimes, nowMs = Date.now()): boolean {
  const nowS = nowMs / 1000;
  if (typeof iat !== 'number' || typeof exp !== 'number') return false;
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= nowS + CLOCK_TOLERANCE_S)) return false;
  return iat <= nowS + CLOCK_TOLERANCE_S && nowS < exp && exp - iat <= ACCESS_TOKEN_LIFETIME_S;
}

/**
 * True if each part has the canonical base64url form. Decoders ignore some bits of the last character of a part. So one signature
 * could be written in 16 ways, and code that compares tokens as text would see 16 tokens.
 */
export function isCanonical(token: string): boolean {
  return token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}
