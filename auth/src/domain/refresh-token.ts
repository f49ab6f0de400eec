/**
 * Refresh tokens: 256 random bits, single use, in families that begin with a login. Pure but for the random bits. Reuse detection
 * follows RFC 9700, 4.14.2: if two clients hold one token, one is a thief, and the service cannot know which.
 */
import { createHash, randomBytes } from 'node:crypto';

/** The stored state of a presented token. */
export interface StoredRefreshToken {
  spentAt: Date | null;
  family: { expiresAt: Date; revokedAt: Date | null };
}

export type RefreshVerdict = 'spend' | 'reuse' | 'refuse';

export function newRefreshToken(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256 is enough. Unlike a password, 256 random bits cannot be guessed, so a slow hash would protect nothing. */
export function hashRefreshToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** Decides about a presented token. Strict: of two concurrent uses the second is a reuse, even by an honest client. */
export function judgeRefresh(token: StoredRefreshToken | undefined, now: Date): RefreshVerdict {
  if (!token || token.family.revokedAt || token.family.expiresAt <= now) return 'refuse';
  return token.spentAt ? 'reuse' : 'spend';
}
