/**
 * Tokens that were verified before. A signature is checked once in a token's life: decoding, hashing and checking it for each request was
 * a twentieth of the gateway's CPU. What can change meanwhile is checked each time: the clock, and whether auth still has the key.
 */
import { hash } from 'node:crypto';
import { isTimely, type TokenTimes } from './access-token.ts';
import type { Caller } from './caller.ts';
import type { KeyStore } from './key-store.ts';

export interface VerifiedToken extends TokenTimes {
  caller: Caller;
  /** The key that it is signed with. */
  kid: string;
}

export interface KnownTokens {
  /** The caller of a token that was verified before and is still good. */
  get(token: string): Caller | undefined;
  add(token: string, verified: VerifiedToken): void;
}

/** Keeps hashes: they are shorter than tokens, and worth nothing to who reads the memory of this process. */
export function createKnownTokens(keys: Pick<KeyStore, 'has'>, capacity = 10_000): KnownTokens {
  const byHash = new Map<string, VerifiedToken>();
  return {
    get(token) {
      const key = hashOf(token);
      const known = byHash.get(key);
      if (known === undefined) return undefined;
      if (isTimely(known) && keys.has(known.kid)) return known.caller;
      byHash.delete(key);
      return undefined;
    },
    add(token, verified) {
      // The one that came first is the one that expires first: all tokens live equally long.
      const [oldest] = byHash.size >= capacity ? byHash.keys() : [];
      if (oldest !== undefined) byHash.delete(oldest);
      byHash.set(hashOf(token), verified);
    },
  };
}

function hashOf(token: string): string {
  return hash('sha256', token, 'base64');
}
