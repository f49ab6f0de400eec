/** API clients of the platform's own services: they log in with an id and a secret. See user-api-client.ts for the others. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Role } from './user.ts';

export interface ApiClient {
  id: string;
  secretHash: Buffer;
  roles: readonly Role[];
}

/** The prefix differs from user ids and from ids of clients that act for a user. */
const CLIENT_ID = /^(?!usr_|cli_)[a-z]+_[a-z0-9-]{1,60}$/;
/**
 * 128 random bits in base64. Shorter secrets could be guessed. People choose their own passwords, so they are users with
 * argon2id.
 */
export const CLIENT_SECRET_MIN = 22;

export function isClientId(text: string): boolean {
  return CLIENT_ID.test(text);
}

/**
 * SHA-256, not argon2. A slow hash protects secrets that people choose and others can guess. These are random and long, so they
 * cannot be guessed at any speed, and each service's login stays cheap.
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
