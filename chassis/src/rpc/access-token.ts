/** What an access token must say to be good (RFC 9068), beyond its signature. */

export const TOKEN_ISSUER = 'payflowx';
export const TOKEN_AUDIENCE = 'payflowx';
/** RFC 9068: keeps other kinds of JWT from passing as access tokens. */
export const TOKEN_TYPE = 'at+jwt';

/** Auth gives tokens this life, and no verifier takes one with a longer life. Short, because a token cannot be taken back. */
export const ACCESS_TOKEN_LIFETIME_S = 300;

/** How far auth's clock may be ahead of a verifier's. */
const CLOCK_TOLERANCE_S = 60;

export interface TokenTimes {
  iat?: unknown;
  nbf?: unknown;
  exp?: unknown;
}

/**
 * Whether a token is good at this moment: begun, not over, and with no longer a life than auth gives. The JWT library looks at `exp`
 * alone, so a token that auth issues with a clock an hour ahead would be good for an hour too long.
 */
export function isTimely({ iat, nbf, exp }: TokenTimes, nowMs = Date.now()): boolean {
  const nowS = nowMs / 1000;
  if (typeof iat !== 'number' || typeof exp !== 'number') return false;
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= nowS + CLOCK_TOLERANCE_S)) return false;
  return iat <= nowS + CLOCK_TOLERANCE_S && nowS < exp && exp - iat <= ACCESS_TOKEN_LIFETIME_S;
}

/**
 * Whether each part is written the one way that base64url has for it. The last character of a part has bits that decoders ignore, so
 * one signature could be written 16 ways, and each would be another token to whoever tells tokens apart by their text.
 */
export function isCanonical(token: string): boolean {
  return token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part);
}
