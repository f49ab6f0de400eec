/**
 * A cache of verified tokens. A signature is checked once per token: decoding, hashing and checking it for each request was a
 * twentieth of the gateway's CPU. The clock, the presence of the key at auth, and the list of revoked tokens can change, so they are
 * checked each time.
 */
import { hash } from 'node:crypto';
import { isTimely, type TokenTimes } from './access-token.ts';
import type { Caller } from './caller.ts';
import type { KeyStore } from './key-store.ts';
import type { Revocations } from './revocations.ts';

export interface VerifiedToken extends TokenTimes {
  caller: Caller;
  /** The key that signed it. */
  kid: string;
}

export interface KnownTokens {
  /** Returns the caller of a token that was verified before and is still valid. */
  get(token: string): Caller | undefined;
  add(token: string, verified: VerifiedToken): void;
}

/** Stores hashes: they are shorter than tokens, and useless to an attacker who reads the memory of this process. */
export function createKnownTokens(
  keys: Pick<KeyStore, 'has'>,
  revocations: Revocations,
  capacity = 10_000,
): KnownTokens {
  const byHash = new Map<string, VerifiedToken>();
  return {
    get(token) {
      const key = hashOf(token);
      const known = byHash.get(key);
      if (known === undefined) return undefined;
      if (isTimely(known) && keys.has(known.kid) && !revocations.isRevoked(known)) return known.caller;
      byHash.delete(key);
      return undefined;
    },
    add(token, verified) {
      // All tokens have the same lifetime, so the first one stored expires first.
      const [oldest] = byHash.size >= capacity ? byHash.keys() : [];
      if (oldest !== undefined) byHash.delete(oldest);
      byHash.set(hashOf(token), verified);
    },
  };
}

function hashOf(token: string): string {
  return hash('sha256', token, 'base64');
}
