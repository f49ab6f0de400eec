/** Auth's public keys, as long as auth publishes them. */
import { createPublicKey } from 'node:crypto';
import type { Jwk } from '@payflowx/proto/auth';
import { unauthenticated } from './errors.ts';

/** Keys are asked for again at most this often, so that tokens with invented key ids cost auth nothing. */
const MIN_REFETCH_MS = 5_000;
/** Keys older than this are asked for again when they are used. Auth announces a key for longer than this before it signs with it. */
export const KEYS_MAX_AGE_MS = 5 * 60_000;

export interface KeyStore {
  /** The key as PEM. Throws CallError UNAUTHENTICATED for a key id that auth does not publish. */
  keyOf(kid: string): Promise<string>;
  /** Whether the key was still published when the keys were last asked for. For tokens that were verified with it before. */
  has(kid: string): boolean;
}

/**
 * Public keys by key id, as PEM. They are asked for when a key id is unknown, and again on the side when they are old: so a
 * key that is announced is here before it signs, even if auth is away by then, and one that was taken back is dropped.
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
    // Nobody waits for it, and if it fails the keys we have are still good.
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

/** The key in the form that OpenSSL, and with it fast-jwt and @fastify/jwt, takes. */
export function toPem({ kty, crv, x }: Pick<Jwk, 'kty' | 'crv' | 'x'>): string {
  return createPublicKey({ key: { kty, crv, x }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
}
