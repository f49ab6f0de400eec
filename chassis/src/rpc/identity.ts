/** Who is calling: access tokens verified against auth's public keys; and who we are: our own token from auth. */
import { createPublicKey } from 'node:crypto';
import { AuthServiceClient, type Jwk } from '@payflowx/proto/auth';
import { createVerifier, TokenError } from 'fast-jwt';
import type { Logger } from '../telemetry/log.ts';
import { connectGrpc } from './client.ts';
import { CallError } from './errors.ts';

export const ROLE_NAMES = ['customer', 'operator', 'auditor', 'service'] as const;
export type RoleName = (typeof ROLE_NAMES)[number];

/** What a token of an API client can be limited to. Which RPC asks for which is in each service's access table. */
export const SCOPES = [
  'accounts:read',
  'payments:read',
  'payments:write',
  'ledger:read',
  'notifications:read',
  'analytics:read',
] as const;
export type Scope = (typeof SCOPES)[number];

/** A caller, as its verified access token names it. */
export interface Caller {
  id: string;
  roles: readonly RoleName[];
  /** The API client that calls in this user's place. */
  clientId?: string;
  /** All that the token may be used for; undefined for one without limits, as people and services have it. */
  scopes?: readonly Scope[];
}

export interface TokenVerifier {
  /** The caller that `token` speaks for. Throws CallError UNAUTHENTICATED for a token that is not good, whatever is wrong with it. */
  verify(token: string): Promise<Caller>;
}

export const TOKEN_ISSUER = 'payflowx';
export const TOKEN_AUDIENCE = 'payflowx';
/** RFC 9068: keeps other kinds of JWT from passing as access tokens. */
export const TOKEN_TYPE = 'at+jwt';

/** Keys are asked for again at most this often, so that tokens with invented key ids cost auth nothing. */
const MIN_REFETCH_MS = 5_000;
/** Keys older than this are asked for again when they are used. Auth announces a key for longer than this before it signs with it. */
export const KEYS_MAX_AGE_MS = 5 * 60_000;
const CACHED_TOKENS = 10_000;

type Claims = { sub?: unknown; roles?: unknown; client_id?: unknown; scope?: unknown };

/** Verifies Ed25519 access tokens. A verified token is remembered until it expires; an unknown key id asks for the keys again. */
export function createTokenVerifier({ jwks }: { jwks: () => Promise<readonly Jwk[]> }): TokenVerifier {
  const keyOf = keyStore(jwks);
  const verify = createVerifier({
    key: async ({ header }: { header: { kid?: string } }) => keyOf(header.kid ?? ''),
    algorithms: ['EdDSA'],
    allowedIss: TOKEN_ISSUER,
    allowedAud: TOKEN_AUDIENCE,
    checkTyp: TOKEN_TYPE,
    requiredClaims: ['sub', 'exp'],
    cache: CACHED_TOKENS,
  });
  return {
    async verify(token) {
      try {
        return toCaller((await verify(token)) as Claims);
      } catch (error) {
        throw toCallError(error);
      }
    },
  };
}

function toCallError(error: unknown): CallError {
  if (error instanceof CallError) return error;
  if (!(error instanceof TokenError) || error.code !== TokenError.codes.keyFetchingError)
    return unauthenticated();
  const cause = error.originalError;
  if (cause instanceof CallError) return cause;
  // The keys could not be had: not the token's fault.
  return new CallError('IDENTITY_UNAVAILABLE', 'Tokens cannot be verified at the moment.');
}

function toCaller({ sub, roles, client_id: clientId, scope }: Claims): Caller {
  if (typeof sub !== 'string' || !Array.isArray(roles)) throw unauthenticated();
  const caller: Caller = { id: sub, roles: ROLE_NAMES.filter((role) => roles.includes(role)) };
  if (clientId === undefined && scope === undefined) return caller;
  // Either of the two makes it a limited token: one that lost its limits on the way must not pass for a person's.
  if (typeof clientId !== 'string' || typeof scope !== 'string') throw unauthenticated();
  const carried = scope.split(' ');
  return { ...caller, clientId, scopes: SCOPES.filter((known) => carried.includes(known)) };
}

function unauthenticated(): CallError {
  return new CallError('UNAUTHENTICATED', 'The access token is missing, malformed, expired or not ours.');
}

/**
 * Public keys by key id, as PEM. They are asked for when a key id is unknown, and again on the side when they are old: so a
 * key that is announced is here before it signs, even if auth is away by then, and one that was taken back is dropped.
 */
export function keyStore(jwks: () => Promise<readonly Jwk[]>): (kid: string) => Promise<string> {
  let keys = new Map<string, string>();
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  const fetch = async () => {
    triedAt = performance.now();
    keys = new Map((await jwks()).map((jwk) => [jwk.kid, toPem(jwk)]));
    fetchedAt = performance.now();
  };
  const fetchOnce = () => {
    fetching ??= fetch().finally(() => {
      fetching = undefined;
    });
    return fetching;
  };

  return async (kid) => {
    const now = performance.now();
    if (!keys.has(kid)) {
      if (fetching || now - fetchedAt > MIN_REFETCH_MS) await fetchOnce();
    } else if (now - fetchedAt > KEYS_MAX_AGE_MS && now - triedAt > MIN_REFETCH_MS) {
      // Nobody waits for it, and if it fails the keys we have are still good.
      void fetchOnce().catch(() => undefined);
    }
    const key = keys.get(kid);
    if (key === undefined) throw unauthenticated();
    return key;
  };
}

/** The key in the form that OpenSSL, and with it fast-jwt and @fastify/jwt, takes. */
export function toPem({ kty, crv, x }: Pick<Jwk, 'kty' | 'crv' | 'x'>): string {
  return createPublicKey({ key: { kty, crv, x }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
}

export interface IdentitySettings {
  /** gRPC target of auth. */
  target: string;
  clientId: string;
  clientSecret: string;
}

export interface Identity {
  verifier: TokenVerifier;
  /** Auth's public keys, fetched now. */
  jwks(): Promise<readonly Jwk[]>;
  /** An access token in our own name, renewed before it expires. */
  serviceToken(): Promise<string>;
  close(): void;
}

/** Connects to auth, lazily: auth may start later than we do. */
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
    serviceToken: renewed(login),
    close: () => auth.close(),
  };
}

interface OwnToken {
  token: string;
  renewAt: number;
  expiresAt: number;
}

/**
 * Logs in once for all who wait. When four fifths of a token's life are over it is renewed on the side: while auth is away
 * the old one goes on being used for as long as it is good.
 */
function renewed(login: () => Promise<{ token: string; expiresInS: number }>): () => Promise<string> {
  let current: OwnToken | undefined;
  let pending: Promise<OwnToken> | undefined;

  const renew = async (): Promise<OwnToken> => {
    const { token, expiresInS } = await login();
    const now = performance.now();
    current = { token, renewAt: now + expiresInS * 800, expiresAt: now + (expiresInS - 5) * 1000 };
    return current;
  };
  const renewOnce = () => {
    pending ??= renew().finally(() => {
      pending = undefined;
    });
    return pending;
  };

  return async () => {
    const now = performance.now();
    if (current === undefined || now >= current.expiresAt) return (await renewOnce()).token;
    if (now >= current.renewAt) void renewOnce().catch(() => undefined);
    return current.token;
  };
}
