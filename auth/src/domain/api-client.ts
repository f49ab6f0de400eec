/** API clients: machines that log in with an id and a secret. Here are the platform's own services; see user-api-client.ts for the rest. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Role } from './user.ts';

export interface ApiClient {
  id: string;
  secretHash: Buffer;
  roles: readonly Role[];
}

/** Neither a user's id nor that of a client that acts for one. */
const CLIENT_ID = /^(?!usr_|cli_)[a-z]+_[a-z0-9-]{1,60}$/;
/** 128 random bits in base64. Shorter secrets could be guessed, and a person's own choice belongs to a user with argon2id. */
export const CLIENT_SECRET_MIN = 22;

export function isClientId(text: string): boolean {
  return CLIENT_ID.test(text);
}

/**
 * SHA-256 and not argon2: a slow hash makes up for secrets that people choose and that can be guessed. These are random
 * and long, so guessing is hopeless at any speed, and every service's login stays cheap.
 */
export function hashClientSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

const NO_CLIENT = Buffer.alloc(32);

/** Takes the same time for an unknown client as for a wrong secret. */
export function secretMatches(client: { secretHash: Buffer } | undefined, secret: string): boolean {
  const same = timingSafeEqual(hashClientSecret(secret), client?.secretHash ?? NO_CLIENT);
  return same && client !== undefined;
}
