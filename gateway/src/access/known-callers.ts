/**
 * Callers by the token that they came with, for as long as it is good. A signature is checked once in a token's life; all that @fastify/jwt
 * would do again for each request (decode, look for the key, hash) was a twentieth of the gateway's CPU.
 */
import type { Caller } from '@payflowx/chassis';

export interface KnownCallers {
  get(token: string): Caller | undefined;
  /** `expiresAt` in seconds since 1970, as a token says it. */
  add(token: string, caller: Caller, expiresAt: number): void;
}

type Known = { caller: Caller; untilMs: number };

export function createKnownCallers(capacity: number, now = () => Date.now()): KnownCallers {
  const byToken = new Map<string, Known>();
  return {
    get(token) {
      const known = byToken.get(token);
      if (known === undefined) return undefined;
      if (known.untilMs > now()) return known.caller;
      byToken.delete(token);
      return undefined;
    },
    add(token, caller, expiresAt) {
      // The one that came first is the one that expires first: all tokens live equally long.
      const [oldest] = byToken.size >= capacity ? byToken.keys() : [];
      if (oldest !== undefined) byToken.delete(oldest);
      byToken.set(token, { caller, untilMs: expiresAt * 1000 });
    },
  };
}
