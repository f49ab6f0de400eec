/**
 * Refresh tokens: 256 random bits, single use, in families that begin with a login. Pure but for the random bits.
 * Reuse detection is RFC 9700, 4.14.2: of two holders of one token one is a thief, and nobody knows which.
 */
import { createHash, randomBytes } from 'node:crypto';

/** What the database knows about a token that was shown to us. */
export interface StoredRefreshToken {
  spentAt: Date | null;
  family: { expiresAt: Date; revokedAt: Date | null };
}

export type RefreshVerdict = 'spend' | 'reuse' | 'refuse';

export function newRefreshToken(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256 suffices: unlike a password, 256 random bits can't be guessed, so a slow hash would protect nothing. */
export function hashRefreshToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** What to do with a token. Strict: of two concurrent uses the second is a reuse too, even by an honest client in a hurry. */
export function judgeRefresh(token: StoredRefreshToken | undefined, now: Date): RefreshVerdict {
  if (!token || token.family.revokedAt || token.family.expiresAt <= now) return 'refuse';
  return token.spentAt ? 'reuse' : 'spend';
}
