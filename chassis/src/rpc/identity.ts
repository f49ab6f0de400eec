/** Verifies the access tokens of callers against auth's public keys. */
import { AuthServiceClient, type Jwk, type Revocation as RevocationMessage } from '@payflowx/proto/auth';
import { createVerifier, TokenError } from 'fast-jwt';
import type { Logger } from '../telemetry/log.ts';
import type { Certificates } from '../tls/certificates.ts';
import { isCanonical, isTimely, TOKEN_AUDIENCE, TOKEN_ISSUER, TOKEN_TYPE } from './access-token.ts';
import { type Caller, ROLE_NAMES, SCOPES } from './caller.ts';
import { connectGrpc } from './client.ts';
import { CallError, unauthenticated } from './errors.ts';
import { createKeyStore } from './key-store.ts';
import { createKnownTokens } from './known-tokens.ts';
import {
  createRevocationList,
  followRevocations,
  type ReadRevocations,
  type Revocation,
  type Revocations,
} from './revocations.ts';

export interface TokenVerifier {
  /** Returns the caller that `token` identifies. Throws CallError UNAUTHENTICATED for any invalid token. */
  verify(token: string): Promise<Caller>;
}

export interface Claims {
  sub?: unknown;
  roles?: unknown;
  client_id?: unknown;
  scope?: unknown;
  sid?: unknown;
  auth_time?: unknown;
  restricted_to?: unknown;
  iat?: unknown;
  nbf?: unknown;
  exp?: unknown;
}

/**
 * Verifies Ed25519 access tokens. A verified token is cached until it expires. An unknown key id triggers a fetch of the keys.
 */
export function createTokenVerifier({
  jwks,
  revocations = NOTHING_REVOKED,
}: {
  jwks: () => Promise<readonly Jwk[]>;
  revocations?: Revocations;
}): TokenVerifier {
  const keys = createKeyStore(jwks);
  const known = createKnownTokens(keys, revocations);
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
    if (revocations.isRevoked({ caller, iat })) throw unauthenticated();
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

/** For verifiers without a connection to auth, such as those of tests. */
export const NOTHING_REVOKED: Revocations = { isRevoked: () => false };

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
export function callerOf(claims: Claims): Caller {
  const { sub, roles, client_id: clientId, scope, sid, auth_time, restricted_to: restrictedTo } = claims;
  if (typeof sub !== 'string' || !Array.isArray(roles)) throw unauthenticated();
  if (restrictedTo !== undefined && typeof restrictedTo !== 'string') throw unauthenticated();
  const caller: Caller = {
    id: sub,
    roles: ROLE_NAMES.filter((role) => roles.includes(role)),
    ...(typeof sid === 'string' && { sessionId: sid }),
    ...(typeof auth_time === 'number' && { loggedInAtS: auth_time }),
    ...(restrictedTo !== undefined && { restrictedTo }),
  };
  if (clientId === undefined && scope === undefined) return caller;
  // Either of the two claims marks a token with limits. A token that has lost one of them must not count as a person's.
  if (typeof clientId !== 'string' || typeof scope !== 'string') throw unauthenticated();
  const carried = scope.split(' ');
  return { ...caller, clientId, scopes: SCOPES.filter((known) => carried.includes(known)) };
}

export interface Identity {
  verifier: TokenVerifier;
  revocations: Revocations;
  /** Fetches auth's current public keys. The first fetch also waits for the list of revoked tokens. */
  jwks(): Promise<readonly Jwk[]>;
  close(): void;
}

/** Longer than auth waits for the next revocation. */
const REVOCATIONS_DEADLINE_MS = 30_000;

/** 0 stands for all tokens. */
function fromRevocationMessage({ id, notBeforeS, expiresAt }: RevocationMessage): Revocation {
  return {
    id,
    notBeforeS: notBeforeS === 0n ? undefined : Number(notBeforeS),
    expiresAt: expiresAt ?? new Date(),
  };
}

interface IdentitySettings {
  target: string;
  certificates: Certificates;
}

/** Connects to auth at the first call, because auth may start later than this service. `target` is the gRPC target of auth. */
export function connectIdentity(settings: IdentitySettings, log: Logger): Identity {
  const auth = connectGrpc(AuthServiceClient, { ...settings, retryable: ['getJwks'] });
  const readRevocations: ReadRevocations = async ({ position, wait }) => {
    const request = { afterPosition: position, wait };
    const page = await auth.listRevocations(request, { deadlineMs: REVOCATIONS_DEADLINE_MS });
    return { ...page, revocations: page.revocations.map(fromRevocationMessage) };
  };
  const revocations = createRevocationList();
  const follower = followRevocations(revocations, readRevocations, log);
  const jwks = async () => {
    const { keys } = await auth.getJwks({}, { deadlineMs: 3_000 });
    // No token can be verified without a key. So none is accepted before the list of revoked tokens is here.
    await follower.loaded();
    return keys;
  };
  return {
    verifier: createTokenVerifier({ jwks, revocations }),
    revocations,
    jwks,
    close() {
      follower.stop();
      auth.close();
    },
  };
}
