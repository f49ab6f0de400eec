/** Reads assertions of API clients (RFC 7523), before their signature is verified. Pure. */
import { createHash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import { AuthError } from './errors.ts';

/** The claims of an assertion that is timely, for us, and complete. It may still be forged. */
export interface ClientAssertion {
  text: string;
  clientId: string;
  alg: string;
  kid: string | undefined;
  jtiHash: Buffer;
  /** No copy of the assertion is accepted from then on. */
  uselessAt: Date;
}

/** A copy of an assertion is refused by its row. A short life keeps these rows few. */
const LIFETIME_MAX_S = 5 * 60;
/** Seconds that the clocks of a client and of auth may differ. */
const CLOCK_TOLERANCE_S = 60;
const JTI_MAX = 256;

/** An access token of ours is no assertion, although it is a JWT. Libraries send no type, or one of these. */
const TYPES = [undefined, 'jwt', 'client-authentication+jwt'];

/**
 * Reads an assertion. `clientId` is that of the request; empty if it has none. `audiences` are the addresses of this platform. Throws
 * INVALID_CLIENT_ASSERTION, whose message says what is wrong: it depends on nothing but the assertion, so it reveals nothing.
 */
export function readAssertion(
  text: string,
  { clientId, audiences, now }: { clientId: string; audiences: readonly string[]; now: Date },
): ClientAssertion {
  const { header, claims } = decode(text);
  if (!TYPES.includes(header.typ?.toLowerCase()))
    throw invalidAssertion('has a type that is not that of an assertion');
  if (typeof header.alg !== 'string') throw invalidAssertion('has no alg');
  if (header.kid !== undefined && typeof header.kid !== 'string')
    throw invalidAssertion('has a kid that is no text');
  const { iss, sub, jti } = claims;
  if (typeof iss !== 'string' || iss !== sub)
    throw invalidAssertion('needs the id of the client as iss and as sub');
  if (clientId !== '' && clientId !== iss) throw invalidAssertion('is of another client than client_id');
  requireAudience(claims.aud, audiences);
  if (typeof jti !== 'string' || jti === '' || jti.length > JTI_MAX) {
    throw invalidAssertion(`needs a jti of 1 to ${JTI_MAX} characters, another one each time`);
  }
  const exp = requireTimes(claims, now.getTime() / 1000);
  return {
    text,
    clientId: iss,
    alg: header.alg,
    kid: header.kid,
    jtiHash: createHash('sha256').update(jti).digest(),
    uselessAt: new Date((exp + CLOCK_TOLERANCE_S) * 1000),
  };
}

function decode(text: string): { header: ProtectedHeaderParameters; claims: JWTPayload } {
  try {
    return { header: decodeProtectedHeader(text), claims: decodeJwt(text) };
  } catch {
    throw invalidAssertion('is not a signed JWT');
  }
}

/** An assertion for several audiences could be used by one of them at another. */
function requireAudience(aud: unknown, audiences: readonly string[]): void {
  if (audiences.length === 0) throw invalidAssertion('cannot be accepted: this platform has no PUBLIC_URL');
  const named = [aud].flat();
  if (named.length > 0 && named.every((name) => typeof name === 'string' && audiences.includes(name))) return;
  throw invalidAssertion(`needs the aud ${audiences.join(' or ')}, and no other`);
}

/** Returns the second of its end. */
function requireTimes({ iat, nbf, exp }: JWTPayload, nowS: number): number {
  if (typeof exp !== 'number' || typeof iat !== 'number')
    throw invalidAssertion('needs the times iat and exp');
  if (exp <= nowS - CLOCK_TOLERANCE_S) throw invalidAssertion('has expired');
  if (exp > nowS + LIFETIME_MAX_S + CLOCK_TOLERANCE_S || exp - iat > LIFETIME_MAX_S + CLOCK_TOLERANCE_S) {
    throw invalidAssertion(`is valid for too long: at most ${LIFETIME_MAX_S} s are possible`);
  }
  if (iat > nowS + CLOCK_TOLERANCE_S || (nbf !== undefined && !(nbf <= nowS + CLOCK_TOLERANCE_S))) {
    throw invalidAssertion('begins in the future');
  }
  return exp;
}

/** `problem` continues the sentence "The client assertion …". */
export function invalidAssertion(problem: string): AuthError {
  return new AuthError('INVALID_CLIENT_ASSERTION', `The client assertion ${problem}.`);
}
