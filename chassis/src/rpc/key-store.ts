/** Auth's public keys, for as long as auth publishes them. */
import { createPublicKey } from 'node:crypto';
import type { Jwk } from '@payflowx/proto/auth';
import { unauthenticated } from './errors.ts';

/** Minimum interval between two fetches, so that tokens with invented key ids cost auth nothing. */
const MIN_REFETCH_MS = 5_000;
/**
 * Keys older than this are fetched again at their next use. Auth announces a key for longer than this before it signs with it.
 */
export const KEYS_MAX_AGE_MS = 5 * 60_000;

export interface KeyStore {
  /** Returns the key as PEM. Throws CallError UNAUTHENTICATED for a key id that auth does not publish. */
  keyOf(kid: string): Promise<string>;
  /** Returns true if the key was in the last fetch. For tokens that were verified with it before. */
  has(kid: string): boolean;
}

/**
 * Public keys by key id, as PEM. An unknown key id triggers a fetch, and old keys are fetched again in the background. So an
 * announced key is here before auth signs with it, even if auth is unavailable then. A withdrawn key is removed.
 */
export function createKeyStore(jwks: () => Promise<readonly Jwk[]>): KeyStore {
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
  const has = (kid: string) => {
    if (!keys.has(kid)) return false;
    const now = performance.now();
    // A background fetch. If it fails, the present keys stay valid.
    if (now - fetchedAt > KEYS_MAX_AGE_MS && now - triedAt > MIN_REFETCH_MS) {
      void fetchOnce().catch(() => undefined);
    }
    return true;
  };

  return {
    has,
    async keyOf(kid) {
      if (!has(kid) && (fetching || performance.now() - fetchedAt > MIN_REFETCH_MS)) await fetchOnce();
      const key = keys.get(kid);
      if (key === undefined) throw unauthenticated();
      return key;
    },
  };
}

/** Converts a key to the form that OpenSSL reads, and so fast-jwt and @fastify/jwt. */
function toPem({ kty, crv, x }: Pick<Jwk, 'kty' | 'crv' | 'x'>): string {
  return createPublicKey({ key: { kty, crv, x }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
}
