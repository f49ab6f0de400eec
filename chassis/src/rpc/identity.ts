/** Verifies the access tokens of callers against auth's public keys, and gets the service's own token from auth. */
import { AuthServiceClient, type Jwk } from '@payflowx/proto/auth';
import { createVerifier, TokenError } from 'fast-jwt';
import type { Logger } from '../telemetry/log.ts';
import { isCanonical, isTimely, TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_TYPE } from './access-token.ts';
import { type Caller, ROLE_NAMES, SCOPES } from './caller.ts';
import { connectGrpc } from './client.ts';
import { CallError, unauthenticated } from './errors.ts';
import { createKeyStore } from './key-store.ts';
import { createKnownTokens } from './known-tokens.ts';
import { createOwnToken } from './own-token.ts';

export interface TokenVerifier {
  /** Returns the caller that `token` identifies. Throws CallError UNAUTHENTICATED for any invalid token. */
  verify(token: string): Promise<Caller>;
}

export interface Claims {
  sub?: unknown;
  roles?: unknown;
  client_id?: unknown;
  scope?: unknown;
  iat?: unknown;
  nbf?: unknown;
  exp?: unknown;
}

/**
 * Verifies Ed25519 access tokens. A verified token is cached until it expires. An unknown key id triggers a fetch of the keys.
 */
export function createTokenVerifier({ jwks }: { jwks: () => Promise<readonly Jwk[]> }): TokenVerifier {
  const keys = createKeyStore(jwks);
  const known = createKnownTokens(keys);
  const check = createVerifier({
    key: async ({ header }: { header: { kid?: string } }) => keys.keyOf(header.kid ?? ''),
    algorithms: ['EdDSA'],
    allowedIss: TOKEN_ISSUER,
    allowedAud: TOKEN_AUDIENCE,
    checkTyp: TOKEN_TYPE,
    requiredClaims: ['sub', 'iss', 'aud', 'iat', 'exp'],
    // Checked together with the other times, and with more tolerance.
    ignoreNotBefore: true,
    complete: true,
    cache: false,
  });
  const verify = async (token: string): Promise<Caller> => {
    const { header, payload } = (await check(token)) as { header: { kid: string }; payload: Claims };
    if (!isCanonical(token) || !isTimely(payload)) throw unauthenticated();
    const caller = callerOf(payload);
    const { iat, nbf, exp } = payload;
    known.add(token, { caller, kid: header.kid, iat, nbf, exp });
    return caller;
  };
  return {
    async verify(token) {
      try {
        return known.get(token) ?? (await verify(token));
      } catch (error) {
        throw toCallError(error);
      }
    },
  };
}

function toCallError(error: unknown): CallError {
  if (error instanceof CallError) return error;
  if (!(error instanceof TokenError) || error.code !== TokenError.codes.keyFetchingError)
    return unauthenticated(error);
  const cause = error.originalError;
  if (cause instanceof CallError) return cause;
  // The keys could not be fetched, so the error is not in the token.
  return new CallError('IDENTITY_UNAVAILABLE', 'Tokens cannot be verified at the moment.');
}

/** Returns the caller that the claims of a verified token name. Throws CallError UNAUTHENTICATED if they are not those of auth. */
export function callerOf({ sub, roles, client_id: clientId, scope }: Claims): Caller {
  if (typeof sub !== 'string' || !Array.isArray(roles)) throw unauthenticated();
  const caller: Caller = { id: sub, roles: ROLE_NAMES.filter((role) => roles.includes(role)) };
  if (clientId === undefined && scope === undefined) return caller;
  // Either of the two claims marks a token with limits. A token that has lost one of them must not count as a person's.
  if (typeof clientId !== 'string' || typeof scope !== 'string') throw unauthenticated();
  const carried = scope.split(' ');
  return { ...caller, clientId, scopes: SCOPES.filter((known) => carried.includes(known)) };
}

export interface IdentitySettings {
  /** gRPC target of auth. */
  target: string;
  clientId: string;
  clientSecret: string;
}

export interface Identity {
  verifier: TokenVerifier;
  /** Fetches auth's current public keys. */
  jwks(): Promise<readonly Jwk[]>;
  /** Returns the service's own access token, renewed before it expires. */
  serviceToken(): Promise<string>;
  close(): void;
}

/** Connects to auth at the first call, because auth may start later than this service. */
export function connectIdentity({ target, clientId, clientSecret }: IdentitySettings, log: Logger): Identity {
  const auth = connectGrpc(AuthServiceClient, { target, retryable: ['getJwks', 'loginClient'] });
  const jwks = async () => (await auth.getJwks({}, { deadlineMs: 3_000 })).keys;
  const login = async () => {
    const { accessToken, expiresIn } = await auth.loginClient(
      { clientId, clientSecret },
      { deadlineMs: 3_000 },
    );
    log.debug({ expires_in: expiresIn }, 'logged in to auth');
    return { token: accessToken, expiresInS: expiresIn };
  };
  return {
    verifier: createTokenVerifier({ jwks }),
    jwks,
    serviceToken: createOwnToken(login),
    close: () => auth.close(),
  };
}
