/** The secrets of API clients. */
import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * SHA-256, not argon2. A slow hash protects secrets that people choose and others can guess. These are random and long, so they
 * cannot be guessed at any speed, and each login stays cheap.
 */
export function hashClientSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

const NO_CLIENT = Buffer.alloc(32);

/** Takes the same time for an unknown client, and one without a secret, as for a wrong secret. */
export function secretMatches(client: { secretHash: Buffer | null } | undefined, secret: string): boolean {
  const secretHash = client?.secretHash ?? undefined;
  const same = timingSafeEqual(hashClientSecret(secret), secretHash ?? NO_CLIENT);
  return same && secretHash !== undefined;
}
